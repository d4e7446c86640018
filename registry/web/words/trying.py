"""The console's words."""

WORDS = {
    "try_lead": ("发送真实的调用", "Sends a real call"),
    "try_operation": ("操作", "Operation"),
    "choose": ("选择", "Choose"),
    "arguments": ("参数", "Arguments"),
    "send": ("发送", "Send"),
    "sent_to": ("发往", "Sent to"),
    "required_mark": ("必填", "required"),
    "not_given": ("（不填）", "(not given)"),
    "add_line": ("加一行", "Add a line"),
    "line_number": ("第", "Line"),
    "unchecked": (
        "不检查，原样发送（想看 Fault 时）",
        "Send as typed, without checks (to see a Fault)",
    ),
    "write_warning": (
        "这是写操作：会改动该院的真实数据。请只用测试病人，并先告知该院值班。",
        "This operation writes: it changes real data at that hospital. Use a test patient, and "
        "tell its on-call first.",
    ),
    "unknown_warning": (
        "不知道这个外部操作是否会改动数据，请按写操作对待。",
        "Whether this foreign operation changes anything is not known: treat it as one that does.",
    ),
    "confirm_write": ("我知道，确认发送", "I know; send it"),
    "problem_confirm": ("请先勾选确认", "Tick the confirmation first"),
    "request_id_hint": (
        "已生成；重试请保持不变，否则会办理两次",
        "generated; keep it for a retry, or it is carried out twice",
    ),
    "privacy": (
        "参数与结果只留在注册中心的内存里，到期即删；不进地址、日志和数据库。",
        "Arguments and results stay in the registry's memory until they expire; never in an "
        "address, a log or a database.",
    ),
    "problems": ("有几处要改", "Some things need mending"),
    "problem_required": ("必填", "is required"),
    "problem_long": ("太长", "is too long"),
    "problem_code": ("不在代码表中", "is not in the code table"),
    "problem_int": ("应为整数", "must be a whole number"),
    "problem_boolean": ("应为 true 或 false", "must be true or false"),
    "problem_decimal": ("应为小数，如 12.50", "must be a decimal such as 12.50"),
    "problem_date": ("应为日期，如 2026-11-21", "must be a date such as 2026-11-21"),
    "problem_dateTime": (
        "应为时间，如 2026-11-21T08:30:00",
        "must be a time such as 2026-11-21T08:30:00",
    ),
    "problem_range": ("超出范围", "is out of range"),
    "try_off": ("这里没有开放“试一试”", "The console is not open here"),
    "try_off_hint": (
        "由注册中心配置的 [try] 决定：enabled 与 networks。",
        "The registry's configuration decides, under [try]: enabled and networks.",
    ),
    "writes_off": (
        "注册中心的配置不允许从这里发送写操作（[try] writes = false）。",
        "The registry's configuration does not let writes be sent from here ([try] writes).",
    ),
    "bad_form": ("表单已失效", "This form is no longer valid"),
    "bad_form_hint": (
        "注册中心可能重启过，或表单来自别处。请返回，刷新后重填。",
        "The registry may have been restarted, or the form came from elsewhere. Go back, reload "
        "and fill it in again.",
    ),
    "try_busy": ("同时试的人太多", "Too many are trying at once"),
    "try_busy_hint": ("请稍候再发送。", "Send it again in a moment."),
    "not_listed": ("这个地址不允许调用", "This address may not be called"),
    "not_listed_hint": (
        "只调用注册中心登记的院外地址；配置了 [try] origins 时只限其中的。",
        "Only outside addresses in the registry are called, and only those of [try] origins where "
        "it is configured.",
    ),
    "nothing_to_try": ("没有可以调用的操作", "No operation can be called"),
    "nothing_to_try_hint": (
        "注册中心没有这个服务的契约，或它不是 document/literal wrapped。",
        "The registry has no contract of this service, or it is not document/literal wrapped.",
    ),
    "expired": ("这次调用已过期或已删除", "This call has expired or was deleted"),
    "expired_hint": (
        "试过的调用只在内存里保留一段时间。",
        "Calls that were tried are kept in memory, for a while.",
    ),
    "result": ("结果", "Result"),
    "verdict_ok": ("成功", "Answered"),
    "verdict_fault": ("Fault", "Fault"),
    "verdict_refused": ("业务错误", "Business error"),
    "verdict_no_xml": (
        "应答不是 SOAP，内容不予显示",
        "The answer is not SOAP; its content is not shown",
    ),
    "verdict_cut": ("应答太长，没有读完", "The answer is too long and was not read to its end"),
    "no_answer_in_time": ("超过时限没有应答", "No answer in time"),
    "no_connection": ("连不上网关或服务", "The gateway or service cannot be reached"),
    "no_answer_hint": (
        "看健康页；持续不通请联系值班。写操作结果未知时，用同一 RequestId 重发。",
        "See the health page; call the on-call if it lasts. Where a write's outcome is unknown, "
        "send it again with the same RequestId.",
    ),
    "took": ("用时", "took"),
    "bytes": ("字节", "bytes"),
    "rows_in_all": ("行", "rows"),
    "shown_first": ("只显示前", "only the first are shown:"),
    "no_rows": (
        "0 行：没有符合条件的记录，这不是错误",
        "0 rows: nothing matches; that is no error",
    ),
    "uneven": (
        "有的行字段数与契约不符，请小心对照原文。",
        "Some rows have another number of fields than the contract: compare with the text.",
    ),
    "split_into": ("str 按 | 与 ? 拆成列", "str, split at | and ?"),
    "values": ("单个值", "Single values"),
    "request_envelope": ("请求报文", "Request envelope"),
    "response_envelope": ("应答报文", "Response envelope"),
    "as_curl": ("用 curl 重放", "As a curl line"),
    "share": ("分享链接", "Link to share"),
    "share_hint": (
        "知道链接且在允许的网络内的人可以看到，到期时间：",
        "Whoever has it, within the allowed networks, sees this call; it expires:",
    ),
    "again": ("修改后再试", "Change and send again"),
    "delete_now": ("立即删除", "Delete now"),
    "deleted": ("已删除", "Deleted"),
    "tried_at": ("发送于", "Sent"),
}
