using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace ThreatFeeds.Tests.Pulling;

/// <summary>A web server on loopback that answers as the test says, over TLS when it is given a certificate.</summary>
internal sealed class HostileServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HostileServer(WebApplication app) => _app = app;

    /// <summary>Requests as they came: path, headers.</summary>
    public ConcurrentQueue<(string Path, IHeaderDictionary Headers)> Requests { get; } = new();

    /// <summary>The answer; may be changed between requests.</summary>
    public RequestDelegate Answer { get; set; } = _ => Task.CompletedTask;

    public string Url { get; private set; } = "";

    public int Port => new Uri(Url).Port;

    public static async Task<HostileServer> StartAsync(RequestDelegate answer, X509Certificate2? certificate = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, 0, l =>
            {
                if (certificate is not null)
                {
                    // Given at once it would have to be one for servers, and its issuer would be looked for where it says.
                    var tls = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
                    l.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls) });
                }
            });
            k.Limits.MinResponseDataRate = null;
            // Servers send whatever bytes they like.
            k.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.Latin1;
        });
        builder.Services.AddLogging();
        WebApplication app = builder.Build();
        var server = new HostileServer(app) { Answer = answer };
        app.Run(context =>
        {
            server.Requests.Enqueue((context.Request.Path, new HeaderDictionary(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value))));
            return server.Answer(context);
        });
        await app.StartAsync();
        server.Url = app.Urls.First();
        return server;
    }

    public static Task<HostileServer> TextAsync(string text) => StartAsync(c => c.Response.WriteAsync(text));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
