"""The overview's and the hospital page's words."""

WORDS = {
    "overview_lead": (
        "医院 × 服务：健康状态与延迟",
        "Hospitals × services: health and latency",
    ),
    "legend": ("图例", "Legend"),
    "letters": ("按拼音首字母", "By first letter"),
    "all": ("全部", "All"),
    "other_letter": ("其他", "other"),
    "only_problems": ("只看有问题的", "Problems only"),
    "show_all": ("显示全部", "Show all"),
    "none": ("还没有医院发布服务", "No hospital has published a service yet"),
    "none_hint": (
        "节点启动时会自动发布。请检查节点配置的 [registry] url、用户与密码。",
        "A node publishes itself when it starts. Check url, user and password under [registry] "
        "in its configuration.",
    ),
    "no_match": ("没有匹配的医院", "No hospital matches"),
    "no_match_hint": (
        "换一个词、拼音首字母，或清除筛选条件。",
        "Try another word or pinyin initials, or clear the filters.",
    ),
    "no_problems": ("没有医院有问题", "No hospital has a problem"),
    "no_services": ("该医院目前没有服务", "This hospital has no services at present"),
    "no_faces": ("没有可用地址", "no address"),
    "grid_caption": ("各医院的服务及其健康状态", "Each hospital's services and their health"),
    "offering": ("提供", "Offering"),
    "offered_by": ("提供的医院", "Offered by"),
    "and_more": ("等", "and more, in all"),
    "phone": ("电话", "Phone"),
    "email": ("邮箱", "E-mail"),
    "person": ("姓名", "Name"),
    "role": ("角色", "Role"),
    "lease": ("租约", "Lease"),
    "lease_none": ("手工登记", "entered by hand"),
    "lease_alive": ("有效至", "alive until"),
    "published_by": ("发布者", "Published by"),
    "published_at": ("首次发布", "First published"),
    "changed_at": ("最近变更", "Last change"),
    "latency": ("延迟", "Latency"),
    "checked": ("探测于", "Probed"),
    "health_state": ("状态", "State"),
    "how_to_contacts": (
        "在节点配置的 [hospital.contacts] 中填写，重启节点即发布。",
        "Write them under [hospital.contacts] in the node's configuration; a restart publishes "
        "them.",
    ),
}
