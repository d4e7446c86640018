// .NET Framework / Mono: proxies by wsdl.exe, compiled with this file by csc or mcs.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Text;
using System.Web.Services.Protocols;

static class Client
{
    // [sample]
    static List<string[]> LabTests(HisService his, string patientId)
    {
        string str = "";
        int count = his.getlabmaster(patientId, ref str);
        if (count < 0)
            throw new ApplicationException(count + ": " + str);
        List<string[]> rows = new List<string[]>();
        foreach (string row in str.Split('?'))
            if (row != "")
                rows.Add(row.Split('|'));
        return rows;
    }
    // [/sample]

    static void Main()
    {
        HisService his = new HisService();
        Told("sample", LabTests(his, "0000000001"));
        string str = "";
        int count = his.getlabmaster("0000000001", ref str);
        Told("getlabmaster", count, str);
        str = null;
        count = his.getlabmaster("回声|?𠮷㐂喆<&>\"'", ref str);
        Told("getlabmaster echo", count, str);
        count = his.getlabmaster("", ref str);
        Told("getlabmaster empty", count, str);
        count = his.getlabmaster("nobody", ref str);
        Told("getlabmaster nobody", count, str);
        count = his.getlabresult("2611210001", ref str);
        Told("getlabresult", count, str);
        count = his.getlabresult("0", ref str);
        Told("getlabresult unknown", count, str);
        count = his.getclinicforregist("2026-11-21", ref str);
        Told("getclinicforregist", count, str);

        NumberSource numbers = new NumberSource();
        DateTime day = new DateTime(2026, 11, 21);
        Told("QueryNumberSource", numbers.QueryNumberSource(day, null, null));
        Told("QueryNumberSource filtered", numbers.QueryNumberSource(day, "喆𠮷㐂", null));
        Told("QueryNumberSource none", numbers.QueryNumberSource(day.AddDays(1), null, null));
        Told("GetNumberSource", numbers.GetNumberSource("20261121-0302-2"));
        Fault("GetNumberSource unknown", () => numbers.GetNumberSource("没有喆|?"));
        Fault("GetNumberSource rare", () => numbers.GetNumberSource("没有𠮷㐂"));

        LabResults labs = new LabResults();
        DateTime none = DateTime.MinValue;
        Told("QueryLabMaster", labs.QueryLabMaster("0000000001", none, false, none, false));
        Told("QueryLabMaster period", labs.QueryLabMaster("0000000001",
            new DateTime(2026, 11, 19, 23, 59, 59), true, new DateTime(2026, 11, 20, 8, 30, 0), true));
        Told("GetLabResult", labs.GetLabResult("2611210001"));
        Fault("GetLabResult unknown", () => labs.GetLabResult("0"));
    }

    static void Fault(string name, Action call)
    {
        try
        {
            call();
            Told(name, "no fault");
        }
        catch (SoapException fault)
        {
            string code = fault.Detail.FirstChild["Code"].InnerText;
            Print(name, "\"fault\":" + Json(fault.Message) + ",\"code\":" + Json(code));
        }
    }

    static void Told(string name, int result, string str)
    {
        Print(name, "\"result\":" + Json(result) + ",\"str\":" + Json(str));
    }

    static void Told(string name, object value)
    {
        Print(name, "\"value\":" + Json(value));
    }

    static void Print(string name, string members)
    {
        byte[] line = new UTF8Encoding(false).GetBytes("{\"case\":" + Json(name) + "," + members + "}\n");
        Stream output = Console.OpenStandardOutput();
        output.Write(line, 0, line.Length);
        output.Flush();
    }

    static string Json(object value)
    {
        if (value == null) return "null";
        if (value is bool) return (bool)value ? "true" : "false";
        if (value is int) return value.ToString();
        if (value is decimal) return "\"" + ((decimal)value).ToString(System.Globalization.CultureInfo.InvariantCulture) + "\"";
        if (value is DateTime) return "\"" + ((DateTime)value).ToString("yyyy-MM-ddTHH:mm:ss") + "\"";
        if (value is string) return Quoted((string)value);
        List<string> parts = new List<string>();
        if (value is IEnumerable)
        {
            foreach (object item in (IEnumerable)value) parts.Add(Json(item));
            return "[" + string.Join(",", parts.ToArray()) + "]";
        }
        foreach (PropertyInfo property in value.GetType().GetProperties())
        {
            if (property.Name.EndsWith("Specified")) continue;
            PropertyInfo specified = value.GetType().GetProperty(property.Name + "Specified");
            bool absent = specified != null && !(bool)specified.GetValue(value, null);
            parts.Add(Quoted(property.Name) + ":" + (absent ? "null" : Json(property.GetValue(value, null))));
        }
        return "{" + string.Join(",", parts.ToArray()) + "}";
    }

    static string Quoted(string text)
    {
        StringBuilder quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            if (c == '"' || c == '\\') quoted.Append('\\').Append(c);
            else if (c < ' ') quoted.AppendFormat("\\u{0:x4}", (int)c);
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}
