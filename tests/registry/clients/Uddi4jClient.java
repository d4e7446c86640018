// A UDDI4J 2.0.5 program of the kind that hospitals wrote: publishes, finds, binds, cleans up.
// java Uddi4jClient INQUIRY PUBLISH USER PASSWORD; prints what it saw, ends with "done".

import java.net.URL;
import java.util.Vector;
import org.uddi4j.UDDIException;
import org.uddi4j.client.UDDIProxy;
import org.uddi4j.datatype.Name;
import org.uddi4j.datatype.OverviewDoc;
import org.uddi4j.datatype.assertion.PublisherAssertion;
import org.uddi4j.datatype.binding.*;
import org.uddi4j.datatype.business.BusinessEntity;
import org.uddi4j.datatype.business.Contact;
import org.uddi4j.datatype.service.*;
import org.uddi4j.datatype.tmodel.TModel;
import org.uddi4j.response.*;
import org.uddi4j.util.*;

public class Uddi4jClient {
    static final String TYPES = "uuid:C1ACF26D-9672-4404-9D70-39B756E62AB4";
    static final String RELATIONSHIPS = "uuid:807A2C6A-EE22-470D-ADC7-E0424A337C03";

    static <T> Vector<T> only(T item) {
        Vector<T> vector = new Vector<>();
        vector.add(item);
        return vector;
    }

    static void told(String what, Object value) {
        System.out.println(what + "=" + value);
    }

    public static void main(String[] arguments) throws Exception {
        UDDIProxy proxy = new UDDIProxy(new URL(arguments[0]), new URL(arguments[1]));
        String token = proxy.get_authToken(arguments[2], arguments[3]).getAuthInfoString();

        TModel contract = new TModel("", "uddi4j-contract");
        contract.setOverviewDoc(new OverviewDoc());
        contract.getOverviewDoc().setOverviewURL("http://10.0.0.1/hx/LabResults?wsdl");
        CategoryBag wsdlSpec = new CategoryBag();
        wsdlSpec.add(new KeyedReference("uddi-org:types", "wsdlSpec", TYPES));
        contract.setCategoryBag(wsdlSpec);
        Vector<TModel> saved = proxy.save_tModel(token, only(contract)).getTModelVector();
        String contractKey = saved.get(0).getTModelKey();
        told("tModel prefix", contractKey.substring(0, 5));

        String hospital = business(proxy, token, "UDDI4J 医院", contractKey);
        String clinic = business(proxy, token, "UDDI4J clinic", contractKey);

        BusinessList list = proxy.find_business("uddi4j", null, 10);
        told("businesses", list.getBusinessInfos().size());
        FindQualifiers exact = new FindQualifiers();
        exact.add(new FindQualifier(FindQualifier.exactNameMatch));
        told("exact", proxy.find_business("UDDI4J 医院", exact, 10).getBusinessInfos().size());
        told("prefix is not exact", proxy.find_business("UDDI4J", exact, 10).getBusinessInfos().size());
        TModelBag bag = new TModelBag();
        bag.add(new TModelKey(contractKey));
        told("by contract", proxy.find_business(bag, null, 10).getBusinessInfos().size());
        ServiceList services = proxy.find_service(hospital, bag, null, 10);
        String serviceKey = ((ServiceInfo) services.getServiceInfos().getServiceInfoVector().get(0))
            .getServiceKey();
        BindingDetail bindings = proxy.find_binding(null, serviceKey, bag, 10);
        BindingTemplate binding = (BindingTemplate) bindings.getBindingTemplateVector().get(0);
        told("accessPoint", binding.getAccessPoint().getText());
        told("URLType", binding.getAccessPoint().getURLType());
        TModelDetail tModels = proxy.get_tModelDetail(contractKey);
        TModel got = (TModel) tModels.getTModelVector().get(0);
        told("overviewURL", got.getOverviewDoc().getOverviewURLString());
        told("cut", proxy.find_business("uddi4j", null, 1).getTruncatedBoolean());

        BusinessDetail detail = proxy.get_businessDetail(hospital);
        BusinessEntity entity = (BusinessEntity) detail.getBusinessEntityVector().get(0);
        told("name", entity.getDefaultNameString());
        told("phone", ((Contact) entity.getContacts().getContactVector().get(0))
            .getPhoneVector().size());
        told("extended", proxy.get_businessDetailExt(hospital).getBusinessEntityExtVector().size());
        told("service", ((BusinessService) proxy.get_serviceDetail(serviceKey)
            .getBusinessServiceVector().get(0)).getDefaultNameString());

        PublisherAssertion assertion = new PublisherAssertion(
            hospital, clinic, new KeyedReference("holds", "parent-child", RELATIONSHIPS));
        told("asserted", proxy.add_publisherAssertions(token, assertion).success());
        told("assertions", proxy.get_publisherAssertions(token).getPublisherAssertionVector().size());
        AssertionStatusReport report = proxy.get_assertionStatusReport(token, "status:complete");
        told("complete", report.getAssertionStatusItemVector().size());
        RelatedBusinessesList related = proxy.find_relatedBusinesses(hospital, null, null);
        told("related", related.getRelatedBusinessInfos().size());

        RegisteredInfo own = proxy.get_registeredInfo(token);
        told("registered", own.getBusinessInfos().size() + "+" + own.getTModelInfos().size());

        told("deleted", proxy.delete_business(token, hospital).success());
        told("deleted", proxy.delete_business(token, clinic).success());
        told("hidden", proxy.delete_tModel(token, contractKey).success());
        told("found after", proxy.find_business("uddi4j", null, 10).getBusinessInfos().size());
        told("discarded", proxy.discard_authToken(token).success());

        refused("gone", () -> proxy.get_businessDetail(hospital));
        refused("no token", () -> proxy.delete_business(token, clinic));
        refused("wrong password", () -> proxy.get_authToken(arguments[2], "wrong"));
        System.out.println("done");
    }

    static String business(UDDIProxy proxy, String token, String name, String contractKey)
            throws Exception {
        BusinessEntity business = new BusinessEntity("", name);
        Contact contact = new Contact("值班");
        contact.setUseType("on-call");
        contact.setPhoneVector(only(new org.uddi4j.datatype.business.Phone("1234")));
        business.setContacts(new org.uddi4j.datatype.business.Contacts());
        business.getContacts().add(contact);
        BindingTemplate binding = new BindingTemplate(
            "", new TModelInstanceDetails(), new AccessPoint("https://10.0.0.1/hx/LabResults", "https"));
        binding.getTModelInstanceDetails().add(new TModelInstanceInfo(contractKey));
        BindingTemplates bindings = new BindingTemplates();
        bindings.add(binding);
        BusinessService service = new BusinessService("");
        service.setDefaultName(new Name("LabResults"));
        service.setBindingTemplates(bindings);
        BusinessServices services = new BusinessServices();
        services.add(service);
        business.setBusinessServices(services);
        Vector saved = proxy.save_business(token, only(business)).getBusinessEntityVector();
        return ((BusinessEntity) saved.get(0)).getBusinessKey();
    }

    interface Call {
        Object run() throws Exception;
    }

    static void refused(String what, Call call) throws Exception {
        try {
            call.run();
            told(what, "not refused");
        } catch (UDDIException e) {
            Result result = (Result) e.getDispositionReport().getResultVector().get(0);
            told(what, result.getErrno() + " " + result.getErrInfo().getErrCode());
        }
    }
}
