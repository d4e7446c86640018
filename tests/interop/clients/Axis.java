// Apache Axis 1.4: stubs by wsdl2java, one package a namespace (his, numbers, labs).
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.List;
import java.util.TimeZone;

import javax.xml.rpc.holders.StringHolder;

import org.apache.axis.AxisFault;
import org.apache.axis.utils.XMLUtils;

import his.HisService_PortType;
import his.HisService_ServiceLocator;
import labs.LabResults_PortType;
import labs.LabResults_ServiceLocator;
import numbers.NumberSource_PortType;
import numbers.NumberSource_ServiceLocator;

public class Axis {
    static PrintStream out;

    // [sample]
    static List<String[]> labTests(HisService_PortType his, String patientId) throws Exception {
        StringHolder str = new StringHolder("");
        int count = his.getlabmaster(patientId, str);
        if (count < 0)
            throw new Exception(count + ": " + str.value);
        List<String[]> rows = new ArrayList<String[]>();
        for (String row : str.value.split("\\?"))
            if (!row.isEmpty())
                rows.add(row.split("\\|", -1)); // -1 keeps empty fields at the end
        return rows;
    }
    // [/sample]

    // [sample dateTime]
    // Axis reads a dateTime without zone as UTC, though it is Beijing time: read it back as UTC.
    static String localTime(Calendar value) {
        SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss");
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format.format(value.getTime());
    }
    // [/sample dateTime]

    interface Call {
        Object run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        out = new PrintStream(System.out, true, "UTF-8");
        HisService_PortType his = new HisService_ServiceLocator().getHisServiceSoap();
        told("sample", labTests(his, "0000000001").toArray());
        StringHolder str = new StringHolder("");
        told("getlabmaster", his.getlabmaster("0000000001", str), str);
        str.value = null;
        told("getlabmaster echo", his.getlabmaster("回声|?𠮷㐂喆<&>\"'", str), str);
        told("getlabmaster empty", his.getlabmaster("", str), str);
        told("getlabmaster nobody", his.getlabmaster("nobody", str), str);
        told("getlabresult", his.getlabresult("2611210001", str), str);
        told("getlabresult unknown", his.getlabresult("0", str), str);
        told("getclinicforregist", his.getclinicforregist("2026-11-21", str), str);

        NumberSource_PortType numbers = new NumberSource_ServiceLocator().getNumberSourceSoap();
        Date day = new GregorianCalendar(2026, Calendar.NOVEMBER, 21).getTime();
        Date next = new GregorianCalendar(2026, Calendar.NOVEMBER, 22).getTime();
        told("QueryNumberSource", numbers.queryNumberSource(day, null, null));
        told("QueryNumberSource filtered", numbers.queryNumberSource(day, "喆𠮷㐂", null));
        told("QueryNumberSource none", numbers.queryNumberSource(next, null, null));
        told("GetNumberSource", numbers.getNumberSource("20261121-0302-2"));
        fault("GetNumberSource unknown", () -> numbers.getNumberSource("没有喆|?"));

        LabResults_PortType labs = new LabResults_ServiceLocator().getLabResultsSoap();
        told("QueryLabMaster", labs.queryLabMaster("0000000001", null, null));
        told("QueryLabMaster period", labs.queryLabMaster("0000000001",
            new GregorianCalendar(2026, Calendar.NOVEMBER, 19, 23, 59, 59),
            new GregorianCalendar(2026, Calendar.NOVEMBER, 20, 8, 30, 0)));
        told("GetLabResult", labs.getLabResult("2611210001"));
        fault("GetLabResult unknown", () -> labs.getLabResult("0"));
    }

    static void fault(String name, Call call) throws Exception {
        try {
            call.run();
            told(name, "no fault");
        } catch (AxisFault fault) {
            // Axis keeps the detail as a message of its own, which DOM methods do not look into.
            String detail = XMLUtils.getInnerXMLString(fault.getFaultDetails()[0]);
            String code = detail.replaceFirst("(?s).*<Code>(.*)</Code>.*", "$1");
            print(name, "\"fault\":" + json(fault.getFaultString()) + ",\"code\":" + json(code));
        }
    }

    static void told(String name, int result, StringHolder str) throws Exception {
        print(name, "\"result\":" + result + ",\"str\":" + json(str.value));
    }

    static void told(String name, Object value) throws Exception {
        print(name, "\"value\":" + json(value));
    }

    static void print(String name, String members) throws Exception {
        out.println("{\"case\":" + json(name) + "," + members + "}");
    }

    static String json(Object value) throws Exception {
        if (value == null)
            return "null";
        if (value instanceof Boolean || value instanceof Integer)
            return value.toString();
        if (value instanceof BigDecimal)
            return quoted(((BigDecimal) value).toPlainString());
        if (value instanceof Calendar)
            return quoted(localTime((Calendar) value));
        if (value instanceof Date)
            return quoted(new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss").format((Date) value));
        if (value instanceof String)
            return quoted((String) value);
        List<String> parts = new ArrayList<String>();
        if (value.getClass().isArray()) {
            for (int i = 0; i < Array.getLength(value); i++)
                parts.add(json(Array.get(value, i)));
            return "[" + String.join(",", parts) + "]";
        }
        for (Method method : value.getClass().getDeclaredMethods()) {
            String name = method.getName().replaceFirst("^(get|is)(?=[A-Z_])", "");
            if (method.getParameterCount() > 0 || name.equals(method.getName()) || name.equals("TypeDesc"))
                continue;
            if (name.equals("_final")) // a word of Java's own
                name = "Final";
            parts.add(quoted(name) + ":" + json(method.invoke(value)));
        }
        return "{" + String.join(",", parts) + "}";
    }

    static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\')
                quoted.append('\\').append(c);
            else if (c < ' ')
                quoted.append(String.format("\\u%04x", (int) c));
            else
                quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
