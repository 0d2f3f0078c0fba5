using System.Net;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>A page's origin is scheme, host and port: another scheme is another origin, unless a proxy stands before an allowed host.</summary>
public sealed class OriginSchemeTests
{
    [Fact]
    public async Task A_page_of_the_same_host_and_port_but_another_scheme_is_foreign()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        string own = app.Address.Authority;
        Assert.NotEqual(HttpStatusCode.Forbidden, await PostAsync(app, $"http://{own}"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(app, $"https://{own}"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(app, $"ftp://{own}"));
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(app, own));
    }

    private static async Task<HttpStatusCode> PostAsync(AppFixture app, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/logs/dns");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        using HttpResponseMessage response = await app.Client.SendAsync(request);
        return response.StatusCode;
    }
}
