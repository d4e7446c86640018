"""Every fault: what it means and what to do, for the service page and the console. The order is
that of the page; a test holds that none is missing."""

#: code: (中文, English, 怎么办, what to do)
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "InvalidArgument": (
        "参数值不合契约（代码表、长度、格式或组合）",
        "a value that the contract does not allow: code table, length, format or combination",
        "看 Field 指出的参数，对照上表改正后重发",
        "look at the argument that Field names, correct it and send again",
    ),
    "NotFound": (
        "按编号找不到",
        "nothing has that id",
        "核对编号与医院；编号只在发出它的医院有效",
        "check the id and the hospital: an id means something only where it was given out",
    ),
    "Conflict": (
        "当前状态不允许此操作",
        "not possible in the present state",
        "先查询状态；重试写操作须用同一 RequestId 和同样的内容",
        "ask for the state first; a retry of a write has the same RequestId and content",
    ),
    "MalformedMessage": (
        "报文不是 XML、不是 SOAP，或与 schema 不符",
        "not XML, not SOAP, or not as the schema says",
        "对照“请求报文”检查元素名、命名空间与顺序",
        "compare names, namespaces and order with the request shown here",
    ),
    "UnknownOperation": (
        "没有这个操作，或 SOAPAction 与 Body 不一致",
        "no such operation, or SOAPAction and Body disagree",
        "检查操作名；SOAPAction 可以留空",
        "check the operation's name; SOAPAction may be left empty",
    ),
    "UnknownService": (
        "没有这家医院或该院未开放此服务",
        "no such hospital, or it does not offer this service",
        "在总览核对该院提供的服务",
        "see in the overview what the hospital offers",
    ),
    "NotAuthenticated": (
        "网关不知道调用者是谁，或身份未得到证明",
        "the gateway does not know who calls, or it is not proved",
        "检查证书、口令或来源地址；从本页调用时看注册中心的 [try] user",
        "check certificate, password or network; for calls from this page, [try] user",
    ),
    "NotAllowed": (
        "知道调用者是谁，但策略不允许此调用",
        "who calls is known, and the policies do not allow this call",
        "请网关管理员加入策略；yilian gateway explain 说明是哪一条",
        "ask the gateway's operator for a policy; yilian gateway explain tells which rule it was",
    ),
    "VersionMismatch": (
        "信封既不是 SOAP 1.1 也不是 1.2",
        "an Envelope of neither SOAP 1.1 nor 1.2",
        "检查 Envelope 的命名空间",
        "check the Envelope's namespace",
    ),
    "MustUnderstand": (
        "含有必须理解而这里不理解的 SOAP 头",
        "a header that must be understood and is not",
        "去掉该头，或去掉 mustUnderstand",
        "leave the header out, or its mustUnderstand",
    ),
    "Overloaded": (
        "排队已满，立即拒绝",
        "the queue is full; refused at once",
        "等几秒再试，不要连续重试",
        "try again after some seconds, and not in a loop",
    ),
    "SourceUnavailable": (
        "医院的数据库或节点连不上",
        "the hospital's database or node cannot be reached",
        "稍后重试；持续不通请联系该院值班",
        "try again later; if it lasts, call the hospital's on-call",
    ),
    "SourceTimeout": (
        "连得上，但未按时回答",
        "it was reached and did not answer in time",
        "写操作结果未知：用同一 RequestId 重发即可得知",
        "a write's outcome is unknown: send it again with the same RequestId to learn it",
    ),
    "SourceError": (
        "医院的数据库报错，或数据不合契约",
        "the database answered with an error, or with data that break the contract",
        "把时间与 RequestId 告诉该院负责人",
        "tell the hospital's owner the time and the RequestId",
    ),
    "InternalError": (
        "我们的缺陷",
        "a defect of ours",
        "把时间告诉联盟运维",
        "tell the alliance's operators the time",
    ),
}

#: Faults that others answer, by their faultcode
OTHER = (
    "对方服务自己的 Fault",
    "a Fault of the service's own",
    "看 faultstring 与 detail；联系该院负责人",
    "read faultstring and detail; ask the hospital's owner",
)
