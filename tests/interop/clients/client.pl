# SOAP::Lite, from the WSDL. Argument: the address up to and with the hospital's code.
use strict;
use warnings;
use utf8;
use JSON::PP;
use SOAP::Lite;

# [sample]
sub lab_tests {
    my ($his, $patient) = @_;    # $his = SOAP::Lite->service($wsdl)->want_som(1)
    my $answer = $his->getlabmaster($patient, '');
    my ($count, $str) = ($answer->result, $answer->paramsout);
    die "$count: $str\n" if $count < 0;
    return map { [split /\|/, $_, -1] } grep { length } split /\?/, $str;
}
# [/sample]

# [sample typed]
# SOAP::Lite's stubs write parameters without namespace. HisService takes that; a typed service
# keeps to its schema, so the call is put together from what the WSDL says.
sub typed {
    my ($wsdl, $operation, %given) = @_;
    my ($service) = values %{ SOAP::Schema->schema_url($wsdl)->parse->services };
    my $known = $service->{$operation};
    my @names = grep { defined $given{$_} } map { $_->name } @{ $known->{parameters} };
    return SOAP::Lite->new->proxy("$known->{endpoint}")
        ->default_ns($known->{namespace})->autotype(0)
        ->on_action(sub { qq("$known->{soapaction}") })
        ->call($operation, map { SOAP::Data->name($_)->value($given{$_}) } @names);
}
# [/sample typed]

my $json = JSON::PP->new->canonical;
binmode STDOUT, ':encoding(UTF-8)';

sub put { print $json->encode({@_}), "\n" }

sub legacy {
    my ($case, $answer) = @_;
    put(case => $case, result => $answer->result, str => $answer->paramsout);
}

sub told {
    my ($case, $answer, $record) = @_;
    die $answer->faultstring if $answer->fault;
    put(case => $case, value => [$answer->valueof("//$record")]);
}

sub fault {
    my ($case, $answer) = @_;
    put(case => $case, fault => $answer->faultstring, code => $answer->faultdetail->{Fault}{Code});
}

my $base = shift;
my $his = SOAP::Lite->service("$base/HisService.asmx?wsdl")->want_som(1);
put(case => 'sample', value => [lab_tests($his, '0000000001')]);
legacy('getlabmaster', $his->getlabmaster('0000000001', ''));
legacy('getlabmaster echo', $his->getlabmaster("回声|?𠮷㐂喆<&>\"'", ''));
legacy('getlabmaster empty', $his->getlabmaster('', ''));
legacy('getlabmaster nobody', $his->getlabmaster('nobody'));
legacy('getlabresult', $his->getlabresult('2611210001', ''));
legacy('getlabresult unknown', $his->getlabresult('0', ''));
legacy('getclinicforregist', $his->getclinicforregist('2026-11-21', ''));

my $numbers = "$base/NumberSource?wsdl";
my %day = (ScheduleDate => '2026-11-21');
told('QueryNumberSource', typed($numbers, 'QueryNumberSource', %day), 'NumberSourceSlot');
told('QueryNumberSource filtered',
    typed($numbers, 'QueryNumberSource', %day, DeptCode => '喆𠮷㐂'), 'NumberSourceSlot');
told('QueryNumberSource none',
    typed($numbers, 'QueryNumberSource', ScheduleDate => '2026-11-22'), 'NumberSourceSlot');
my $slot = typed($numbers, 'GetNumberSource', ScheduleId => '20261121-0302-2');
put(case => 'GetNumberSource', value => $slot->result);
fault('GetNumberSource unknown', typed($numbers, 'GetNumberSource', ScheduleId => '没有喆|?'));
fault('GetNumberSource rare', typed($numbers, 'GetNumberSource', ScheduleId => '没有𠮷㐂'));

my $labs = "$base/LabResults?wsdl";
my %patient = (PatientId => '0000000001');
told('QueryLabMaster', typed($labs, 'QueryLabMaster', %patient), 'LabMaster');
told('QueryLabMaster period', typed($labs, 'QueryLabMaster', %patient,
    Since => '2026-11-19T23:59:59', Until => '2026-11-20T08:30:00'), 'LabMaster');
my $report = typed($labs, 'GetLabResult', TestNo => '2611210001');
put(case => 'GetLabResult',
    value => { %{ $report->result }, Items => [$report->valueof('//LabResultItem')] });
fault('GetLabResult unknown', typed($labs, 'GetLabResult', TestNo => '0'));
