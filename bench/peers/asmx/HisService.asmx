<%@ WebService Language="C#" Class="HisService" %>
// ASMX, the paper's own technology, on Mono's xsp4.
using System.Text;
using System.Web.Services;

[WebService(Namespace = "http://tempuri.org/")]
public class HisService : WebService
{
    const int Rows = 5;

    [WebMethod]
    public int getlabmaster(string PatientId, ref string str)
    {
        if (string.IsNullOrEmpty(PatientId)) { str = "PatientId is empty"; return -1; }
        var text = new StringBuilder();
        for (int row = 0; row < Rows; row++)
            text.Append("261120").Append(row.ToString("D4")).Append('|')
                .Append("张伟|城镇职工基本医疗保险|男|").Append(45)
                .Append("|查体|高血压病 2 级|静脉血|").Append(row % 2 == 1 ? "" : "空腹")
                .Append("|心血管内科|2026-11-20 ").Append((8 - row).ToString("D2"))
                .Append(":30:00|2026-11-20 ").Append((14 - row).ToString("D2"))
                .Append(":30:00|王建国|检验科|A").Append(row.ToString("D2"))
                .Append("|李敏|赵静?");
        str = text.ToString();
        return Rows;
    }
}
