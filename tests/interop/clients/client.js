// npm soap, from the WSDL. Argument: the address up to and with the hospital's code.
'use strict';
const soap = require('soap');

// [sample]
async function labTests(his, patientId) {
  const [answer] = await his.getlabmasterAsync({ PatientId: patientId });
  if (answer.getlabmasterResult < 0) {
    throw new Error(`${answer.getlabmasterResult}: ${answer.str}`);
  }
  return answer.str.split('?').filter(Boolean).map((row) => row.split('|'));
}
// [/sample]

// npm soap makes a Date of a date or a dateTime: the first in UTC, the second in local time.
function plain(name, value) {
  if (!(value instanceof Date)) return value;
  const local = new Date(value.getTime() - value.getTimezoneOffset() * 60000);
  return name === 'ScheduleDate' ? value.toISOString().slice(0, 10) : local.toISOString().slice(0, 19);
}

function put(line) {
  console.log(JSON.stringify(line, function (name) { return plain(name, this[name]); }));
}

async function main(base) {
  const his = await soap.createClientAsync(`${base}/HisService.asmx?wsdl`);
  const told = (name, value) => put({ case: name, value: value === undefined ? null : value });
  const legacy = async (name, operation, given) => {
    const [answer] = await his[`${operation}Async`](given);
    put({ case: name, result: answer[`${operation}Result`], str: answer.str });
  };
  const fault = async (name, call) => {
    try {
      await call();
      told(name, 'no fault');
    } catch (error) {
      const found = error.root.Envelope.Body.Fault;
      put({ case: name, fault: found.faultstring, code: found.detail.Fault.Code });
    }
  };
  told('sample', await labTests(his, '0000000001'));
  await legacy('getlabmaster', 'getlabmaster', { PatientId: '0000000001', str: '' });
  await legacy('getlabmaster echo', 'getlabmaster', { PatientId: '回声|?𠮷㐂喆<&>"\'' });
  await legacy('getlabmaster empty', 'getlabmaster', { PatientId: '' });
  await legacy('getlabmaster nobody', 'getlabmaster', { PatientId: 'nobody' });
  await legacy('getlabresult', 'getlabresult', { TestNo: '2611210001' });
  await legacy('getlabresult unknown', 'getlabresult', { TestNo: '0' });
  await legacy('getclinicforregist', 'getclinicforregist', { ClinicDate: '2026-11-21' });

  const numbers = await soap.createClientAsync(`${base}/NumberSource?wsdl`);
  const query = async (given) => {
    const [answer] = await numbers.QueryNumberSourceAsync(given);
    const list = answer.QueryNumberSourceResult;
    return (list && list.NumberSourceSlot) || [];
  };
  const get = async (id) => (await numbers.GetNumberSourceAsync({ ScheduleId: id }))[0].GetNumberSourceResult;
  told('QueryNumberSource', await query({ ScheduleDate: '2026-11-21' }));
  told('QueryNumberSource filtered', await query({ ScheduleDate: '2026-11-21', DeptCode: '喆𠮷㐂' }));
  told('QueryNumberSource none', await query({ ScheduleDate: '2026-11-22' }));
  told('GetNumberSource', await get('20261121-0302-2'));
  await fault('GetNumberSource unknown', () => get('没有喆|?'));
  await fault('GetNumberSource rare', () => get('没有𠮷㐂'));

  const labs = await soap.createClientAsync(`${base}/LabResults?wsdl`);
  const masters = async (given) => (await labs.QueryLabMasterAsync(given))[0].QueryLabMasterResult.LabMaster;
  told('QueryLabMaster', await masters({ PatientId: '0000000001' }));
  told('QueryLabMaster period', await masters({
    PatientId: '0000000001',
    // A Date itself would be sent as an empty element. UTC is understood.
    Since: new Date(2026, 10, 19, 23, 59, 59).toISOString(),
    Until: '2026-11-20T08:30:00',
  }));
  const report = (await labs.GetLabResultAsync({ TestNo: '2611210001' }))[0].GetLabResultResult;
  told('GetLabResult', { ...report, Items: report.Items.LabResultItem });
  await fault('GetLabResult unknown', () => labs.GetLabResultAsync({ TestNo: '0' }));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
