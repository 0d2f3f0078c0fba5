using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Web;
using ThreatFeeds.Web.Shared;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace ThreatFeeds.Tests.Web;

/// <summary>Open pages are bounded in number, whichever way they come.</summary>
[Collection(ConsoleBrowser.Tests)]
public sealed class CircuitTests(ConsoleBrowser browser)
{
    [Fact]
    public async Task Pages_come_over_web_sockets_and_no_other_way()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using HttpResponseMessage negotiated = await app.Client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null);
        JsonNode offer = JsonNode.Parse(await negotiated.Content.ReadAsStringAsync())!;
        Assert.Equal(["WebSockets"], offer["availableTransports"]!.AsArray().Select(t => t!["transport"]!.GetValue<string>()));
        string connection = "/_blazor?id=" + offer["connectionToken"]!.GetValue<string>();
        foreach (string accept in new[] { "*/*", "text/event-stream" })
        {
            using var poll = new HttpRequestMessage(HttpMethod.Get, connection);
            poll.Headers.Accept.ParseAdd(accept);
            using HttpResponseMessage refused = await app.Client.SendAsync(poll).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Connections_that_are_asked_for_and_never_made_are_bounded()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        HttpStatusCode status = HttpStatusCode.OK;
        for (int i = 0; i <= WebRegistration.MostOffers; i++)
        {
            using HttpResponseMessage answer = await app.Client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null);
            status = answer.StatusCode;
            Assert.True(i == WebRegistration.MostOffers || status == HttpStatusCode.OK, $"{status} at {i}");
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
    }

    [Fact]
    public async Task A_circuit_without_a_place_is_ended_and_takes_none()
    {
        var places = new CircuitPlaces(1);
        var first = new CircuitPlace(places);
        var second = new CircuitPlace(places);
        await first.OnCircuitOpenedAsync(null!, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.OnCircuitOpenedAsync(null!, default));
        await second.OnCircuitClosedAsync(null!, default);
        Assert.Equal((1, true), (places.Taken, places.IsFull));
        await first.OnCircuitClosedAsync(null!, default);
        await first.OnCircuitClosedAsync(null!, default);
        Assert.Equal((0, false), (places.Taken, places.IsFull));
    }

    [BrowserFact]
    public async Task The_page_beyond_the_bound_says_so_and_comes_when_another_was_closed()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        CircuitPlaces places = app.Services.GetRequiredService<CircuitPlaces>();
        Assert.Equal(WebRegistration.MostCircuits, places.Most);
        while (places.Taken < places.Most - 1)
        {
            Assert.True(places.TryTake());
        }
        await using ConsolePage second = await browser.NewPageAsync(app);
        await using (ConsolePage first = await browser.NewPageAsync(app))
        {
            await first.OpenAsync("/feeds");
            Assert.True(places.IsFull);
            IResponse? answer = await second.Page.GotoAsync(new Uri(app.Address, "/alerts").ToString());
            Assert.Equal(503, answer!.Status);
            await Expect(second.Heading("Too many pages are open")).ToBeVisibleAsync();
            // Programs are not pages.
            using var call = new HttpRequestMessage(HttpMethod.Get, "/v1/alerts");
            call.Headers.Accept.ParseAdd("text/html");
            using HttpResponseMessage list = await app.Client.SendAsync(call);
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
            await first.Page.GotoAsync("about:blank");
        }
        await EndToEnd.LiveServer.UntilAsync(() => Task.FromResult(!places.IsFull), TimeSpan.FromSeconds(30), () => $"{places.Taken} places are taken");
        await second.OpenAsync("/alerts");
        Assert.True(places.IsFull);
    }
}
