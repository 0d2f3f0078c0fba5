using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ThreatFeeds.Tests.Support;

/// <summary>One request that a <see cref="LoopbackServer"/> got.</summary>
internal sealed record SeenRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers);

/// <summary>A foreign server on a loopback port: gives the bodies it was told to and remembers who asked.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<SeenRequest> _requests = new();

    private LoopbackServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public IReadOnlyList<SeenRequest> Requests => [.. _requests];

    public static async Task<LoopbackServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = new LoopbackServer(builder.Build());
        server._app.Run(server.AnswerAsync);
        await server._app.StartAsync();
        return server;
    }

    public Uri UriOf(string path) => new(Address, path);

    /// <summary>From now on <paramref name="path"/> answers with this body.</summary>
    public Uri Serve(string path, byte[] body, string contentType = "text/plain", int status = 200) => Answer(path, async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    });

    /// <summary>From now on <paramref name="path"/> answers with this text.</summary>
    public Uri Serve(string path, string body, string contentType = "text/plain", int status = 200) =>
        Serve(path, System.Text.Encoding.UTF8.GetBytes(body), contentType, status);

    /// <summary>From now on <paramref name="path"/> is answered by <paramref name="answer"/>.</summary>
    public Uri Answer(string path, RequestDelegate answer)
    {
        _answers[path] = answer;
        return UriOf(path);
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        _requests.Enqueue(new SeenRequest(context.Request.Method, context.Request.Path,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        if (_answers.TryGetValue(context.Request.Path, out RequestDelegate? answer))
        {
            return answer(context);
        }
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
