// gSOAP 2: wsdl2h, then soapcpp2 -j -C, compiled with this file and libgsoap++.
#include "soapHisServiceSoapProxy.h"
#include "soapNumberSourceSoapProxy.h"
#include "soapLabResultsSoapProxy.h"
#include "HisServiceSoap.nsmap"

#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

static std::vector<std::string> split(const std::string &text, char mark)
{
    std::vector<std::string> parts;
    std::istringstream stream(text + mark);
    for (std::string part; std::getline(stream, part, mark);)
        parts.push_back(part);
    return parts;
}

// [sample]
// Make the proxy with SOAP_C_UTFSTRING, or Chinese text becomes question marks.
static std::vector<std::vector<std::string>> lab_tests(HisServiceSoapProxy &his, std::string patient)
{
    _tempuri__getlabmaster request;
    _tempuri__getlabmasterResponse response;
    request.PatientId = &patient;
    if (his.getlabmaster(&request, response) != SOAP_OK)
        throw std::runtime_error(his.soap_fault_string());
    std::string str = response.str ? *response.str : "";
    if (response.getlabmasterResult < 0)
        throw std::runtime_error(std::to_string(response.getlabmasterResult) + ": " + str);
    std::vector<std::vector<std::string>> rows;
    for (const std::string &row : split(str, '?'))
        if (!row.empty())
            rows.push_back(split(row, '|'));
    return rows;
}
// [/sample]

static std::string json(const std::string &text)
{
    std::string quoted = "\"";
    for (unsigned char c : text) {
        char code[8];
        if (c == '"' || c == '\\')
            quoted += '\\', quoted += c;
        else if (c < ' ')
            snprintf(code, sizeof code, "\\u%04x", c), quoted += code;
        else
            quoted += c;
    }
    return quoted + '"';
}

static std::string json(const char *text) { return json(std::string(text)); }
static std::string json(bool value) { return value ? "true" : "false"; }
static std::string json(int value) { return std::to_string(value); }

static std::string json(time_t value)
{
    char text[32];
    struct tm local;
    strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%S\"", localtime_r(&value, &local));
    return text;
}

template <class T> std::string json(const std::vector<T> &items)
{
    std::string joined;
    for (const T &item : items)
        joined += (joined.empty() ? "" : ",") + json(item);
    return "[" + joined + "]";
}

template <class T> std::string json(T *value) { return value ? json(*value) : "null"; }

#define FIELD(name) #name "\":" + json(v.name) + ",\""

static std::string json(const ns1__NumberSourceSlot &v)
{
    return std::string("{\"") + FIELD(ScheduleId) + FIELD(ScheduleDate) + FIELD(ClinicLabel)
        + FIELD(ClinicName) + FIELD(DeptCode) + FIELD(DeptName) + FIELD(DoctorName)
        + FIELD(DoctorTitle) + FIELD(Expert) + FIELD(Speciality) + FIELD(Shift) + FIELD(Limit)
        + FIELD(Remaining) + FIELD(Unlimited) + FIELD(Stopped) + FIELD(OpenToRemote)
        + FIELD(RegistrationFee) + FIELD(ConsultationFee) + "Place\":" + json(v.Place) + "}";
}

static std::string json(const ns2__LabMaster &v)
{
    return std::string("{\"") + FIELD(TestNo) + FIELD(Name) + FIELD(ChargeType) + FIELD(Sex)
        + FIELD(Age) + FIELD(TestCause) + FIELD(RelevantClinicDiag) + FIELD(Specimen)
        + FIELD(NotesForSpcm) + FIELD(OrderingDept) + FIELD(RequestedDateTime)
        + FIELD(ResultsRptDateTime) + FIELD(OrderingProvider) + FIELD(PerformedBy)
        + FIELD(WorkingId) + FIELD(Transcriptionist) + FIELD(VerifiedBy) + FIELD(ResultStatus)
        + FIELD(Final) + FIELD(Printed) + "RecognitionMark\":" + json(v.RecognitionMark) + "}";
}

static std::string json(const ns2__LabResultItem &v)
{
    return std::string("{\"") + FIELD(ItemNo) + FIELD(ItemCode) + FIELD(ItemName) + FIELD(Result)
        + FIELD(Units) + FIELD(Abnormal) + FIELD(Reference) + FIELD(ResultDateTime)
        + "RecognitionMark\":" + json(v.RecognitionMark) + "}";
}

static std::string json(const ns2__LabReport &v)
{
    return std::string("{\"") + FIELD(TestNo) + FIELD(PatientId) + FIELD(ResultStatus)
        + FIELD(Final) + "Items\":" + json(v.Items->LabResultItem) + "}";
}

static void print(const std::string &name, const std::string &members)
{
    std::cout << "{\"case\":" << json(name) << "," << members << "}" << std::endl;
}

static void told(const std::string &name, int result, std::string *str)
{
    print(name, "\"result\":" + json(result) + ",\"str\":" + json(str));
}

// Each operation of HisService has types of its own, all of the same shape.
#define LEGACY(name, operation, parameter, value)                                  \
    do {                                                                           \
        std::string argument = value;                                              \
        _tempuri__##operation request;                                             \
        _tempuri__##operation##Response response;                                  \
        request.parameter = &argument;                                             \
        if (his.operation(&request, response) != SOAP_OK)                          \
            throw std::runtime_error(his.soap_fault_string());                     \
        told(name, response.operation##Result, response.str);                      \
    } while (false)

template <class Proxy> void told_fault(const std::string &name, Proxy &proxy, int status)
{
    if (status != SOAP_FAULT)
        throw std::runtime_error("no fault");
    std::string detail = soap_fault_detail(proxy.soap);
    size_t start = detail.find("<Code>") + 6;
    std::string code = detail.substr(start, detail.find("</Code>") - start);
    print(name, "\"fault\":" + json(proxy.soap_fault_string()) + ",\"code\":" + json(code));
}

static void query(NumberSourceSoapProxy &numbers, const std::string &name, const std::string &day,
                  std::string *dept)
{
    _ns1__QueryNumberSource request;
    _ns1__QueryNumberSourceResponse response;
    request.ScheduleDate = day;
    request.DeptCode = dept;
    if (numbers.QueryNumberSource(&request, response) != SOAP_OK)
        throw std::runtime_error(numbers.soap_fault_string());
    print(name, "\"value\":" + json(response.QueryNumberSourceResult->NumberSourceSlot));
}

static void get(NumberSourceSoapProxy &numbers, const std::string &name, const std::string &id)
{
    _ns1__GetNumberSource request;
    _ns1__GetNumberSourceResponse response;
    request.ScheduleId = id;
    int status = numbers.GetNumberSource(&request, response);
    if (status != SOAP_OK)
        return told_fault(name, numbers, status);
    print(name, "\"value\":" + json(*response.GetNumberSourceResult));
}

static time_t moment(int year, int month, int day, int hour, int minute, int second)
{
    struct tm local = {};
    local.tm_year = year - 1900, local.tm_mon = month - 1, local.tm_mday = day;
    local.tm_hour = hour, local.tm_min = minute, local.tm_sec = second;
    return mktime(&local);
}

static void masters(LabResultsSoapProxy &labs, const std::string &name, time_t *since, time_t *until)
{
    _ns2__QueryLabMaster request;
    _ns2__QueryLabMasterResponse response;
    request.PatientId = "0000000001";
    request.Since = since;
    request.Until = until;
    if (labs.QueryLabMaster(&request, response) != SOAP_OK)
        throw std::runtime_error(labs.soap_fault_string());
    print(name, "\"value\":" + json(response.QueryLabMasterResult->LabMaster));
}

static void report(LabResultsSoapProxy &labs, const std::string &name, const std::string &number)
{
    _ns2__GetLabResult request;
    _ns2__GetLabResultResponse response;
    request.TestNo = number;
    int status = labs.GetLabResult(&request, response);
    if (status != SOAP_OK)
        return told_fault(name, labs, status);
    print(name, "\"value\":" + json(*response.GetLabResultResult));
}

int main()
{
    HisServiceSoapProxy his(SOAP_C_UTFSTRING);
    print("sample", "\"value\":" + json(lab_tests(his, "0000000001")));
    LEGACY("getlabmaster", getlabmaster, PatientId, "0000000001");
    LEGACY("getlabmaster echo", getlabmaster, PatientId, "回声|?𠮷㐂喆<&>\"'");
    LEGACY("getlabmaster empty", getlabmaster, PatientId, "");
    LEGACY("getlabmaster nobody", getlabmaster, PatientId, "nobody");
    LEGACY("getlabresult", getlabresult, TestNo, "2611210001");
    LEGACY("getlabresult unknown", getlabresult, TestNo, "0");
    LEGACY("getclinicforregist", getclinicforregist, ClinicDate, "2026-11-21");

    NumberSourceSoapProxy numbers(SOAP_C_UTFSTRING);
    std::string dept = "喆𠮷㐂";
    query(numbers, "QueryNumberSource", "2026-11-21", NULL);
    query(numbers, "QueryNumberSource filtered", "2026-11-21", &dept);
    query(numbers, "QueryNumberSource none", "2026-11-22", NULL);
    get(numbers, "GetNumberSource", "20261121-0302-2");
    get(numbers, "GetNumberSource unknown", "没有喆|?");
    get(numbers, "GetNumberSource rare", "没有𠮷㐂");

    LabResultsSoapProxy labs(SOAP_C_UTFSTRING);
    time_t since = moment(2026, 11, 19, 23, 59, 59), until = moment(2026, 11, 20, 8, 30, 0);
    masters(labs, "QueryLabMaster", NULL, NULL);
    masters(labs, "QueryLabMaster period", &since, &until);
    report(labs, "GetLabResult", "2611210001");
    report(labs, "GetLabResult unknown", "0");
}
