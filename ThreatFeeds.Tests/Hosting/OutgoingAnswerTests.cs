using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>One bound in bytes for all answers under way, however slowly they are read.</summary>
public sealed class OutgoingAnswerTests
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("/v1/alerts", "problem")]
    [InlineData("/v1/searches", "problem")]
    [InlineData("/v1/indicators/a.example", "problem")]
    [InlineData("/v1/feeds/f/runs", "problem")]
    [InlineData("/v1/feeds/f/indicators", "problem")]
    [InlineData("/v1/feeds/f/statistics", "problem")]
    [InlineData("/v1/feeds/f/manifest", "problem")]
    [InlineData(Feeds, "status")]
    [InlineData(Feeds + "/f", "status")]
    [InlineData("/elasticsearch", "elastic")]
    [InlineData("/elasticsearch/.tigera.domainnameset.cluster/_doc/f", "elastic")]
    [InlineData("/metrics", "problem")]
    [InlineData("/openapi/v1.json", "problem")]
    public async Task Beyond_the_bound_an_answer_is_to_be_asked_for_again_and_below_it_nothing_stays_held(string path, string shape)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        await AddAsync(app, "f", 10);
        AnswerBudget budget = app.Services.GetRequiredService<AnswerBudget>();
        Assert.Equal(256L << 20, budget.Most);
        long others = budget.Most - 100;
        Assert.True(budget.TryTake(others));
        using (HttpResponseMessage full = await app.Client.GetAsync(path))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);
            Assert.True(full.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            Assert.Contains("as much memory as they may", ErrorShapes.Words(shape, 503, await full.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        }
        Assert.Equal(others, budget.Held);
        // Whoever watches the process is answered all the same.
        using (HttpResponseMessage alive = await app.Client.GetAsync("/livez"))
        {
            Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        }
        budget.Return(others);
        using HttpResponseMessage there = await app.Client.GetAsync(path);
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, there.StatusCode);
        Assert.NotEmpty(await there.Content.ReadAsByteArrayAsync());
        await EmptyAsync(budget);
    }

    [Fact]
    public async Task Those_who_ask_and_do_not_read_hold_no_more_than_the_bound_and_give_it_back_when_they_go()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        for (int i = 0; i < 40; i++)
        {
            await AddAsync(app, $"f{i}", 1 << 20);
        }
        AnswerBudget budget = app.Services.GetRequiredService<AnswerBudget>();
        var readers = new List<TcpClient>();
        try
        {
            string status = "";
            while (!status.StartsWith("HTTP/1.1 503", StringComparison.Ordinal))
            {
                Assert.True(readers.Count < 30, $"{budget.Held} bytes are held");
                (TcpClient reader, status) = await AskAsync(app.Address, Feeds);
                readers.Add(reader);
                Assert.InRange(budget.Held, 0, budget.Most);
            }
            Assert.InRange(budget.Held, 1, budget.Most);
        }
        finally
        {
            readers.ForEach(r => r.Dispose());
        }
        await EmptyAsync(budget);
        Assert.Equal(40, JsonNode.Parse(await app.Client.GetStringAsync(Feeds))!["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task An_answer_that_is_made_of_much_waits_for_its_turn_which_no_reader_keeps()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        SemaphoreSlim turns = app.Services.GetRequiredService<AnswerBudget>().Turns;
        int free = turns.CurrentCount;
        for (int i = 0; i < free; i++)
        {
            Assert.True(await turns.WaitAsync(TimeSpan.Zero));
        }
        Task<string> list = app.Client.GetStringAsync(Feeds);
        // Others do not wait for it.
        Assert.NotEmpty(await app.Client.GetStringAsync("/v1/alerts"));
        Assert.False(list.IsCompleted);
        turns.Release(free);
        Assert.Contains("\"items\":[]", await list.WaitAsync(Bound), StringComparison.Ordinal);
        Assert.Equal(free, turns.CurrentCount);
    }

    [Fact]
    public async Task An_answer_larger_than_the_bound_is_not_asked_for_again_and_again()
    {
        await using AppFixture app = await AppFixture.StartAsync("Http:AnswersMaxBytes=134217728");
        await AddAsync(app, "f", 2 << 20);
        using HttpResponseMessage answer = await app.Client.GetAsync(Feeds);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("Http:AnswersMaxBytes", ErrorShapes.Words("status", 500, await answer.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        Assert.Equal(0, app.Services.GetRequiredService<AnswerBudget>().Held);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_list_says_the_same_as_JSON_and_as_YAML(int feeds)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        for (int i = 0; i < feeds; i++)
        {
            await AddAsync(app, $"f{i}", 5);
        }
        JsonNode json = JsonNode.Parse(await app.Client.GetStringAsync(Feeds))!;
        Assert.Equal(Enumerable.Range(0, feeds).Select(i => $"f{i}"), json["items"]!.AsArray().Select(f => f!["metadata"]!["name"]!.GetValue<string>()));
        using var request = new HttpRequestMessage(HttpMethod.Get, Feeds);
        request.Headers.Accept.ParseAdd("application/yaml");
        using HttpResponseMessage yaml = await app.Client.SendAsync(request);
        Assert.Equal("application/yaml", yaml.Content.Headers.ContentType?.MediaType);
        JsonNode read = ManifestText.ReadYaml(await yaml.Content.ReadAsByteArrayAsync());
        Assert.True(JsonNode.DeepEquals(Lasting(json), Lasting(read)), $"{read}");
    }

    /// <summary>Without what searches write meanwhile.</summary>
    private static JsonNode Lasting(JsonNode list)
    {
        list["metadata"]!.AsObject().Remove("resourceVersion");
        foreach (JsonNode? feed in list["items"]!.AsArray())
        {
            feed!.AsObject().Remove("status");
            feed["metadata"]!.AsObject().Remove("resourceVersion");
        }
        return list;
    }

    /// <summary>Past the rules for manifests, which would keep so large a description out.</summary>
    private static async Task AddAsync(AppFixture app, string name, int characters)
    {
        await using ThreatFeedsContext db = app.Services.GetRequiredService<IContextFactory>().Create();
        db.Resources.Add(new ResourceRow
        {
            Kind = "GlobalThreatFeed",
            Name = name,
            Uid = Guid.NewGuid(),
            Generation = 1,
            Spec = $$"""{"content":"DomainNameSet","description":"{{new string('x', characters)}}"}""",
        });
        await db.SaveChangesAsync();
    }

    /// <summary>Reads the first line of the answer and nothing more.</summary>
    private static async Task<(TcpClient, string)> AskAsync(Uri address, string path)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        using var limit = new CancellationTokenSource(Bound);
        await client.ConnectAsync(address.Host, address.Port, limit.Token);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\n\r\n"), limit.Token);
        byte[] line = new byte["HTTP/1.1 200".Length];
        await client.GetStream().ReadExactlyAsync(line, limit.Token);
        return (client, Encoding.ASCII.GetString(line));
    }

    private static async Task EmptyAsync(AnswerBudget budget)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (budget.Held > 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Bound, $"{budget.Held} bytes are still held");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }
}
