// ASMX pages of a folder behind HttpListener, which keeps connections; for where Debian's xsp4
// does not start: it names a TLS type that Mono 6.8 no longer has.    host.exe PORT FOLDER
// FOLDER/bin holds this program, because ASP.NET runs it inside the application's domain.
using System;
using System.IO;
using System.Net;
using System.Threading;
using System.Web;
using System.Web.Hosting;

public class Worker : SimpleWorkerRequest
{
    readonly HttpListenerContext context;
    readonly byte[] body;

    public Worker(HttpListenerContext context)
        : base(context.Request.Url.AbsolutePath.TrimStart('/'), context.Request.Url.Query.TrimStart('?'), null)
    {
        this.context = context;
        var memory = new MemoryStream();
        context.Request.InputStream.CopyTo(memory);
        body = memory.ToArray();
    }

    public override string GetHttpVerbName() { return context.Request.HttpMethod; }
    public override byte[] GetPreloadedEntityBody() { return body; }
    public override bool IsEntireEntityBodyIsPreloaded() { return true; }
    public override string GetKnownRequestHeader(int index)
    {
        return context.Request.Headers[GetKnownRequestHeaderName(index)];
    }
    public override string GetUnknownRequestHeader(string name) { return context.Request.Headers[name]; }
    public override string[][] GetUnknownRequestHeaders()
    {
        var headers = context.Request.Headers;
        var unknown = new System.Collections.Generic.List<string[]>();
        foreach (string name in headers)
            if (GetKnownRequestHeaderIndex(name) < 0) unknown.Add(new[] { name, headers[name] });
        return unknown.ToArray();
    }
    public override void SendStatus(int code, string description)
    {
        context.Response.StatusCode = code;
    }
    public override void SendKnownResponseHeader(int index, string value)
    {
        if (index == HeaderContentType) context.Response.ContentType = value;
        else if (index == HeaderContentLength) context.Response.ContentLength64 = long.Parse(value);
    }
    public override void SendUnknownResponseHeader(string name, string value) { }
    public override void SendResponseFromMemory(byte[] data, int length)
    {
        context.Response.OutputStream.Write(data, 0, length);
    }
    public override void FlushResponse(bool final)
    {
        if (final) context.Response.Close();
    }
}

public class Host : MarshalByRefObject
{
    HttpListener listener;

    public void Listen(int port)
    {
        listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:" + port + "/");
        listener.Start();
        listener.BeginGetContext(Answer, null);
    }

    void Answer(IAsyncResult result)
    {
        var context = listener.EndGetContext(result);
        listener.BeginGetContext(Answer, null);
        HttpRuntime.ProcessRequest(new Worker(context));
    }

    public override object InitializeLifetimeService() { return null; }

    static int Main(string[] arguments)
    {
        if (arguments.Length != 2) { Console.Error.WriteLine("host.exe PORT FOLDER"); return 2; }
        var host = (Host)ApplicationHost.CreateApplicationHost(typeof(Host), "/", arguments[1]);
        host.Listen(int.Parse(arguments[0]));
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
