<?php
// PHP ext-soap, from the WSDL. Argument: the address up to and with the hospital's code.

// [sample]
function lab_tests(SoapClient $his, string $patient): array
{
    $answer = $his->getlabmaster(['PatientId' => $patient]);
    if ($answer->getlabmasterResult < 0) {
        throw new RuntimeException("$answer->getlabmasterResult: $answer->str");
    }
    $rows = array_filter(explode('?', $answer->str), 'strlen');
    return array_map(fn ($row) => explode('|', $row), $rows);
}
// [/sample]

function told(string $case, mixed $value): void
{
    put(['case' => $case, 'value' => $value]);
}

function legacy(string $case, string $operation, array $arguments): void
{
    global $his;
    $answer = $his->$operation($arguments);
    put(['case' => $case, 'result' => $answer->{"{$operation}Result"}, 'str' => $answer->str]);
}

function fault(string $case, callable $call): void
{
    try {
        $call();
        told($case, 'no fault');
    } catch (SoapFault $fault) {
        put(['case' => $case, 'fault' => $fault->getMessage(), 'code' => $fault->detail->Fault->Code]);
    }
}

function put(array $line): void
{
    echo json_encode($line, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
}

// SOAP_SINGLE_ELEMENT_ARRAYS: a list of one record is a list, and an empty one is there.
$options = ['features' => SOAP_SINGLE_ELEMENT_ARRAYS, 'cache_wsdl' => WSDL_CACHE_NONE];
$his = new SoapClient("$argv[1]/HisService.asmx?wsdl", $options);
told('sample', lab_tests($his, '0000000001'));
legacy('getlabmaster', 'getlabmaster', ['PatientId' => '0000000001', 'str' => '']);
legacy('getlabmaster echo', 'getlabmaster', ['PatientId' => "回声|?𠮷㐂喆<&>\"'", 'str' => null]);
legacy('getlabmaster empty', 'getlabmaster', ['PatientId' => '', 'str' => '']);
legacy('getlabmaster nobody', 'getlabmaster', ['PatientId' => 'nobody']);
legacy('getlabresult', 'getlabresult', ['TestNo' => '2611210001']);
legacy('getlabresult unknown', 'getlabresult', ['TestNo' => '0']);
legacy('getclinicforregist', 'getclinicforregist', ['ClinicDate' => '2026-11-21']);

$numbers = new SoapClient("$argv[1]/NumberSource?wsdl", $options);
$query = fn (array $given) => $numbers->QueryNumberSource($given)->QueryNumberSourceResult->NumberSourceSlot ?? [];
$get = fn (string $id) => $numbers->GetNumberSource(['ScheduleId' => $id])->GetNumberSourceResult;
told('QueryNumberSource', $query(['ScheduleDate' => '2026-11-21']));
told('QueryNumberSource filtered', $query(['ScheduleDate' => '2026-11-21', 'DeptCode' => '喆𠮷㐂']));
told('QueryNumberSource none', $query(['ScheduleDate' => '2026-11-22']));
told('GetNumberSource', $get('20261121-0302-2'));
fault('GetNumberSource unknown', fn () => $get('没有喆|?'));
fault('GetNumberSource rare', fn () => $get('没有𠮷㐂'));

$labs = new SoapClient("$argv[1]/LabResults?wsdl", $options);
$masters = fn (array $given) => $labs->QueryLabMaster($given)->QueryLabMasterResult->LabMaster;
told('QueryLabMaster', $masters(['PatientId' => '0000000001']));
told('QueryLabMaster period', $masters(['PatientId' => '0000000001',
    'Since' => '2026-11-19T23:59:59', 'Until' => '2026-11-20T08:30:00']));
$report = $labs->GetLabResult(['TestNo' => '2611210001'])->GetLabResultResult;
$report->Items = $report->Items->LabResultItem;
told('GetLabResult', $report);
fault('GetLabResult unknown', fn () => $labs->GetLabResult(['TestNo' => '0']));
