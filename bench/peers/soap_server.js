// npm's soap server over HisService's published WSDL.    node soap_server.js PORT WSDL
// NODE_PATH names where ./run setup-full has put the package.
"use strict";
const fs = require("fs");
const http = require("http");
const soap = require("soap");

const ROWS = 5;
const two = (number) => String(number).padStart(2, "0");

function getlabmaster(args) {
  if (!args.PatientId) return { getlabmasterResult: -1, str: "PatientId is empty" };
  let str = "";
  for (let row = 0; row < ROWS; row++)
    str +=
      [
        "261120" + String(row).padStart(4, "0"), "张伟", "城镇职工基本医疗保险", "男", 45, "查体",
        "高血压病 2 级", "静脉血", row % 2 ? "" : "空腹", "心血管内科",
        `2026-11-20 ${two(8 - row)}:30:00`, `2026-11-20 ${two(14 - row)}:30:00`, "王建国", "检验科",
        "A" + two(row), "李敏", "赵静",
      ].join("|") + "?";
  return { getlabmasterResult: ROWS, str };
}

const [port, wsdl] = process.argv.slice(2);
const server = http.createServer((request, response) => response.end("404"));
server.keepAliveTimeout = 65000;
server.listen(Number(port), "127.0.0.1", () => {
  const service = { HisService: { HisServiceSoap: { getlabmaster } } };
  soap.listen(server, "/hx/HisService.asmx", service, fs.readFileSync(wsdl, "utf8"));
});
