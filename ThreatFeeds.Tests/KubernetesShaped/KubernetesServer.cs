using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Api.KubernetesShaped;
using ThreatFeeds.Feeds;
using ThreatFeeds.Listings;
using ThreatFeeds.Resources;
using ThreatFeeds.Runs;
using ThreatFeeds.Sets;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;

namespace ThreatFeeds.Tests.KubernetesShaped;

/// <summary>The Kubernetes-shaped routes over a database file, on a port of their own.</summary>
internal sealed class KubernetesServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly WebApplication _app;

    private KubernetesServer()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddStorage(new StorageOptions(), _folder.Path).AddResources().AddSets().AddListings().AddRuns(_folder.Path).AddFeeds(_ => null)
            .AddScoped(_ => Actor.Local);
        IncomingBody.Add(builder.Services, new BodyOptions());
        _app = builder.Build();
        IncomingBody.Use(_app);
        OutgoingAnswer.Use(_app);
        _app.MapKubernetesShaped();
    }

    public HttpClient Client { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public static async Task<KubernetesServer> StartAsync()
    {
        var server = new KubernetesServer();
        await server.Services.GetRequiredService<IContextFactory>().MigrateAsync(CancellationToken.None);
        await server._app.StartAsync();
        server.Client = new HttpClient { BaseAddress = new Uri(server._app.Urls.First() + "/apis/projectcalico.org/v3/") };
        return server;
    }

    public async Task<(HttpStatusCode Code, JsonObject Body, HttpResponseMessage Response)> SendAsync(
        HttpMethod method, string path, string? body = null, string? contentType = "application/yaml")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType is not null)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            }
        }
        HttpResponseMessage response = await Client.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject(), response);
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }
}
