using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ThreatFeeds.Api.Hosting;

namespace ThreatFeeds.Tests.Support;

/// <summary>The real process: what Program starts, on a free loopback port, with a data folder of its own.</summary>
internal sealed class AppFixture : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TemporaryFolder? _ownFolder;

    private AppFixture(WebApplication app, TemporaryFolder? ownFolder, string dataDirectory)
    {
        _app = app;
        _ownFolder = ownFolder;
        DataDirectory = dataDirectory;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public string DataDirectory { get; }

    /// <param name="settings">Such as <c>Cluster:Name=east</c>.</param>
    public static Task<AppFixture> StartAsync(params string[] settings) => StartAsync(null, null, settings);

    /// <param name="clock">Null: the machine's.</param>
    /// <param name="dataDirectory">Kept at the end, for a test that starts again on it; null: a temporary one.</param>
    public static Task<AppFixture> StartAsync(TimeProvider? clock, string? dataDirectory, params string[] settings) => StartAsync(clock, dataDirectory, _ => { }, settings);

    /// <param name="add">Called last, for what a test adds or puts in the place of something.</param>
    public static async Task<AppFixture> StartAsync(TimeProvider? clock, string? dataDirectory, Action<IServiceCollection> add, params string[] settings)
    {
        TemporaryFolder? own = dataDirectory is null ? new TemporaryFolder() : null;
        string folder = dataDirectory ?? own!.Path;
        string[] arguments = ["--urls=http://127.0.0.1:0", $"--Data:Directory={folder}", "--Logging:LogLevel:Default=Warning", .. settings.Select(s => "--" + s)];
        WebApplication app = ThreatFeedsHost.Build(arguments, services =>
        {
            if (clock is not null)
            {
                services.Replace(ServiceDescriptor.Singleton(clock));
            }
            add(services);
        });
        await app.StartAsync();
        return new AppFixture(app, own, folder);
    }

    /// <summary>Sends a body with the content type given.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body, string contentType)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return await Client.SendAsync(request);
    }

    /// <summary>Waits for what is under way.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _ownFolder?.Dispose();
    }
}
