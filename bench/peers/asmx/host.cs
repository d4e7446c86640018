// xsp4's own server for one folder, without xsp4's main class: Debian's cannot be loaded, because
// it names a TLS type that Mono 6.8 no longer has.    host.exe PORT FOLDER
using System;
using System.Net;
using System.Threading;
using Mono.WebServer;

static class Host
{
    static int Main(string[] arguments)
    {
        if (arguments.Length != 2) { Console.Error.WriteLine("host.exe PORT FOLDER"); return 2; }
        var source = new XSPWebSource(IPAddress.Loopback, int.Parse(arguments[0]), false);
        var server = new ApplicationServer(source, arguments[1]) { Verbose = false };
        server.AddApplicationsFromCommandLine("/:" + arguments[1]);
        Exception problem = null;
        if (!server.Start(true, problem, 1024)) { Console.Error.WriteLine(problem); return 1; }
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
