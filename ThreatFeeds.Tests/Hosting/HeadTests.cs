using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

public sealed class HeadTests
{
    [Fact]
    public async Task HEAD_is_answered_as_GET_without_a_body_on_every_route()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        string[] paths = [.. Paths(app).Append("/v1/no-such-call").Append("/no-such-page").Distinct()];
        Assert.Contains("/livez", paths);
        Assert.Contains("/v1/alerts", paths);
        Assert.Contains("/v1/feeds/x/manifest", paths);
        Assert.Contains("/apis/projectcalico.org/v3/globalthreatfeeds", paths);
        Assert.Contains("/elasticsearch", paths);
        Assert.Contains("/feeds/new", paths);
        foreach (string path in paths)
        {
            using HttpResponseMessage get = await app.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using HttpResponseMessage head = await app.Client.SendAsync(request);
            Assert.True(get.StatusCode == head.StatusCode, $"{path}: GET {get.StatusCode}, HEAD {head.StatusCode}");
            Assert.Equal(get.Content.Headers.ContentType?.MediaType, head.Content.Headers.ContentType?.MediaType);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task HEAD_where_there_is_no_GET_finds_what_GET_finds()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage get = await app.Client.GetAsync("/v1/feeds/x/pull");
        using var request = new HttpRequestMessage(HttpMethod.Head, "/v1/feeds/x/pull");
        using HttpResponseMessage head = await app.Client.SendAsync(request);
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.InRange((int)head.StatusCode, 400, 499);
    }

    /// <summary>Every route that answers GET, with something put in for its parameters; of the many files of the console a few.</summary>
    private static IEnumerable<string> Paths(AppFixture app)
    {
        IEnumerable<RouteEndpoint> routes = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<IHttpMethodMetadata>() is not { HttpMethods.Count: > 0 } methods || methods.HttpMethods.Contains("GET"));
        // A circuit's own calls are no pages and keep the connection.
        string[] all = [.. routes.Select(r => Path(r.RoutePattern)).Where(p => !p.StartsWith("/_blazor", StringComparison.Ordinal))];
        return all.Where(p => !p.Contains('.', StringComparison.Ordinal) || p.StartsWith("/apis", StringComparison.Ordinal) || p.StartsWith("/openapi", StringComparison.Ordinal))
            .Concat(all.Where(p => p.EndsWith(".css", StringComparison.Ordinal)).Take(2));
    }

    private static string Path(RoutePattern pattern) => "/" + string.Join('/', pattern.PathSegments
        .Select(s => string.Concat(s.Parts.Select(p => p switch { RoutePatternLiteralPart l => l.Content, RoutePatternSeparatorPart s => s.Content, _ => "x" }))));
}
