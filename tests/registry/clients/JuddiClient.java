// A program on Apache jUDDI's own client 3.3.10: version 3 over JAX-WS, configured by uddi.xml.
// java JuddiClient UDDI_XML WSDL_FILE USER PASSWORD; prints what it saw, ends with "done".

import java.io.File;
import java.net.URL;
import java.util.GregorianCalendar;
import java.util.Map;
import javax.wsdl.Definition;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.ws.Holder;
import javax.xml.ws.soap.SOAPFaultException;
import org.apache.juddi.v3.client.config.UDDIClerk;
import org.apache.juddi.v3.client.config.UDDIClient;
import org.apache.juddi.v3.client.mapping.URLLocalizerDefaultImpl;
import org.apache.juddi.v3.client.mapping.wsdl.ReadWSDL;
import org.apache.juddi.v3.client.mapping.wsdl.WSDL2UDDI;
import org.apache.juddi.v3.client.transport.Transport;
import org.uddi.api_v3.*;
import org.uddi.sub_v3.*;
import org.uddi.v3_service.*;

public class JuddiClient {
    static void told(String what, Object value) {
        System.out.println(what + "=" + value);
    }

    public static void main(String[] arguments) throws Exception {
        UDDIClient client = new UDDIClient(arguments[0]);
        Transport transport = client.getTransport("default");
        UDDISecurityPortType security = transport.getUDDISecurityService();
        UDDIInquiryPortType inquiry = transport.getUDDIInquiryService();
        UDDIPublicationPortType publication = transport.getUDDIPublishService();
        UDDISubscriptionPortType subscription = transport.getUDDISubscriptionService();

        GetAuthToken asked = new GetAuthToken();
        asked.setUserID(arguments[2]);
        asked.setCred(arguments[3]);
        String token = security.getAuthToken(asked).getAuthInfo();

        // --- a partition of its own, a business, and the WSDL by jUDDI's mapping of the OASIS note
        TModel generator = UDDIClerk.createKeyGenator("juddi.example", "juddi", "en");
        SaveTModel saveGenerator = new SaveTModel();
        saveGenerator.setAuthInfo(token);
        saveGenerator.getTModel().add(generator);
        told("generator", publication.saveTModel(saveGenerator).getTModel().get(0).getTModelKey());

        BusinessEntity business = new BusinessEntity();
        business.setBusinessKey("uddi:juddi.example:hospital");
        business.getName().add(new Name("jUDDI 医院", "zh"));
        SaveBusiness saveBusiness = new SaveBusiness();
        saveBusiness.setAuthInfo(token);
        saveBusiness.getBusinessEntity().add(business);
        told("business", publication.saveBusiness(saveBusiness).getBusinessEntity().get(0)
            .getName().get(0).getValue());

        Definition wsdl = new ReadWSDL().readWSDL(new File(arguments[1]).toURI().toURL());
        java.util.Properties properties = new java.util.Properties();
        properties.put("keyDomain", "juddi.example");
        properties.put("businessName", "hospital");
        properties.put("serverName", "10.0.0.1");
        properties.put("serverPort", "80");
        properties.put("businessKey", "uddi:juddi.example:hospital");
        UDDIClerk clerk = client.getClerk("clerk");
        WSDL2UDDI mapping = new WSDL2UDDI(clerk, new URLLocalizerDefaultImpl(), properties);
        BusinessServices services = mapping.registerBusinessServices(wsdl);
        told("services", services.getBusinessService().size());

        // --- found by the note's own queries
        told("by portType", find(inquiry, "portType"));
        told("by binding", find(inquiry, "binding"));
        FindService byNamespace = new FindService();
        byNamespace.setCategoryBag(bag("uddi:uddi.org:xml:namespace", wsdl.getTargetNamespace()));
        ServiceList found = inquiry.findService(byNamespace);
        told("by namespace", found.getServiceInfos().getServiceInfo().size());
        GetServiceDetail get = new GetServiceDetail();
        get.getServiceKey().add(found.getServiceInfos().getServiceInfo().get(0).getServiceKey());
        BusinessService service = inquiry.getServiceDetail(get).getBusinessService().get(0);
        BindingTemplate binding = service.getBindingTemplates().getBindingTemplate().get(0);
        told("accessPoint", binding.getAccessPoint().getValue());
        told("instances", binding.getTModelInstanceDetails().getTModelInstanceInfo().size());

        // --- assertions
        PublisherAssertion assertion = new PublisherAssertion();
        assertion.setFromKey(business.getBusinessKey());
        assertion.setToKey(business.getBusinessKey());
        assertion.setKeyedReference(
            new KeyedReference("uddi:uddi.org:relationships", "self", "identity"));
        AddPublisherAssertions add = new AddPublisherAssertions();
        add.setAuthInfo(token);
        add.getPublisherAssertion().add(assertion);
        publication.addPublisherAssertions(add);
        told("complete", publication.getAssertionStatusReport(
            token, CompletionStatus.STATUS_COMPLETE).size());

        // --- subscription
        Subscription wanted = new Subscription();
        SubscriptionFilter filter = new SubscriptionFilter();
        FindBusiness everyone = new FindBusiness();
        FindQualifiers qualifiers = new FindQualifiers();
        qualifiers.getFindQualifier().add("approximateMatch");
        everyone.setFindQualifiers(qualifiers);
        everyone.getName().add(new Name("jUDDI%", "zh"));
        filter.setFindBusiness(everyone);
        wanted.setSubscriptionFilter(filter);
        Holder<java.util.List<Subscription>> holder = new Holder<>(new java.util.ArrayList<>());
        holder.value.add(wanted);
        subscription.saveSubscription(token, holder);
        String key = holder.value.get(0).getSubscriptionKey();
        GetSubscriptionResults results = new GetSubscriptionResults();
        results.setAuthInfo(token);
        results.setSubscriptionKey(key);
        CoveragePeriod period = new CoveragePeriod();
        GregorianCalendar start = new GregorianCalendar(2020, 0, 1);
        period.setStartPoint(DatatypeFactory.newInstance().newXMLGregorianCalendar(start));
        period.setEndPoint(
            DatatypeFactory.newInstance().newXMLGregorianCalendar(new GregorianCalendar()));
        results.setCoveragePeriod(period);
        told("subscribed to", subscription.getSubscriptionResults(results)
            .getBusinessList().getBusinessInfos().getBusinessInfo().size());
        DeleteSubscription gone = new DeleteSubscription();
        gone.setAuthInfo(token);
        gone.getSubscriptionKey().add(key);
        subscription.deleteSubscription(gone);

        // --- and away again; faults come as what jUDDI's client declares
        DeleteBusiness delete = new DeleteBusiness();
        delete.setAuthInfo(token);
        delete.getBusinessKey().add(business.getBusinessKey());
        publication.deleteBusiness(delete);
        try {
            GetBusinessDetail again = new GetBusinessDetail();
            again.getBusinessKey().add(business.getBusinessKey());
            inquiry.getBusinessDetail(again);
            told("gone", "not refused");
        } catch (Exception fault) {
            told("gone", DispositionReportFaultMessage.getDispositionReport(fault)
                .getResult().get(0).getErrno());
        }
        DiscardAuthToken discard = new DiscardAuthToken();
        discard.setAuthInfo(token);
        security.discardAuthToken(discard);
        client.stop();
        System.out.println("done");
        System.exit(0);
    }

    static CategoryBag bag(String tModel, String value) {
        CategoryBag bag = new CategoryBag();
        bag.getKeyedReference().add(new KeyedReference(tModel, "", value));
        return bag;
    }

    static int find(UDDIInquiryPortType inquiry, String type) throws Exception {
        FindTModel find = new FindTModel();
        find.setCategoryBag(bag("uddi:uddi.org:wsdl:types", type));
        TModelList list = inquiry.findTModel(find);
        return list.getTModelInfos() == null ? 0 : list.getTModelInfos().getTModelInfo().size();
    }
}
