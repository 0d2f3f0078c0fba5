using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Api.Logs;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Embedded;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

public sealed class LogEndpointTests : IAsyncLifetime
{
    private readonly ForgetfulFiles _files = new(1);
    private static readonly HttpClient s_client = new();
    private EmbeddedLogStore _store = null!;
    private WebApplication _app = null!;

    public async Task InitializeAsync()
    {
        _store = await StoreFixture.OpenAsync(_files, TimeProvider.System, options: o => o with { WaitingBytes = 3000 });
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddExceptionHandler<ProblemExceptionHandler>().AddProblemDetails();
        builder.Services.AddScoped(_ => Actor.Local);
        IncomingBody.Add(builder.Services, new BodyOptions());
        builder.Services.AddLogs();
        builder.Services.AddSingleton<ILogStore>(_store);
        _app = builder.Build();
        _app.UseExceptionHandler();
        IncomingBody.Use(_app);
        OutgoingAnswer.Use(_app);
        _app.MapLogs();
        await _app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Records_are_durable_once_answered_and_refusals_say_where_and_why()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/logs/dns", "{\"qname\":\"a\",\"end_time\":1}\n{\"type\":\"LOG\"}\n"u8.ToArray());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""{"accepted":1,"refused":1,"refusals":[{"line":2,"reason":"lacks qname, and rrsets with a name or data"}]}""", await answer.Content.ReadAsStringAsync());
        _files.Crash();
        await _store.DisposeAsync();
        _store = await StoreFixture.OpenAsync(_files, TimeProvider.System);
        Assert.Equal(["{\"qname\":\"a\",\"end_time\":1}"], await _store.LinesAsync());
    }

    [Fact]
    public async Task Flows_go_to_their_own_source_and_gzip_is_unpacked()
    {
        using HttpResponseMessage answer = await PostAsync("/v1/logs/flows?format=calico", Gzip("{\"dest_ip\":\"9.9.9.9\",\"end_time\":1}\n"u8.ToArray()), "gzip");
        Assert.Equal(1, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accepted").GetInt32());
        Assert.Empty(await _store.LinesAsync());
        Assert.NotEqual(Position.BeforeAll, await _store.HeadAsync(_store.Sources.First(s => s.Kind == LogKind.Flow), CancellationToken.None));
    }

    [Fact]
    public async Task Gzip_of_several_members_is_one_body()
    {
        byte[] body = [.. Gzip("{\"qname\":\"a\",\"end_time\":1}\n"u8.ToArray()), .. Gzip("{\"qname\":\"b\",\"end_time\":1}\n"u8.ToArray())];
        using HttpResponseMessage answer = await PostAsync("/v1/logs/dns", body, "gzip");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, (await _store.LinesAsync()).Count);
    }

    [Fact]
    public async Task A_repeated_key_gets_the_same_answer_and_is_stored_once()
    {
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await PostAsync("/v1/logs/dns", "{\"qname\":\"a\",\"end_time\":1}"u8.ToArray(), key: "once");
            Assert.Equal(1, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accepted").GetInt32());
        }
        Assert.Single(await _store.LinesAsync());
    }

    [Fact]
    public async Task Another_body_under_a_key_is_422_says_what_to_do_and_stores_nothing()
    {
        using HttpResponseMessage first = await PostAsync("/v1/logs/dns", "{\"qname\":\"a\",\"end_time\":1}"u8.ToArray(), key: "once");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using HttpResponseMessage other = await PostAsync("/v1/logs/dns", "{\"qname\":\"b\",\"end_time\":1}"u8.ToArray(), key: "once");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        JsonElement problem = await other.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("idempotency-key-reused", problem.GetProperty("code").GetString());
        Assert.Contains("under a key of its own", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Single(await _store.LinesAsync());
    }

    [Fact]
    public async Task A_busy_store_is_503_and_says_when_to_come_again()
    {
        using var entered = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        _store.Appended += _ =>
        {
            entered.Release();
            go.Wait(TimeSpan.FromSeconds(30));
        };
        byte[] body = Encoding.UTF8.GetBytes($"{{\"qname\":\"a\",\"end_time\":1,\"x\":\"{new string('x', 2000)}\"}}");
        using HttpResponseMessage held = await PostAsync("/v1/logs/dns", body);
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(30)), "nothing was stored");
        // There is room for one of them to wait; the others are refused at once.
        Task<HttpResponseMessage>[] sent = [.. Enumerable.Range(0, 3).Select(_ => PostAsync("/v1/logs/dns", body))];
        HttpResponseMessage busy = await (await Task.WhenAny(sent).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
        Assert.Equal("1", busy.Headers.GetValues("Retry-After").Single());
        Assert.Equal("log-store-unavailable", (await busy.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        go.Set();
        HttpResponseMessage[] answers = await Task.WhenAll(sent);
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.OK);
        Array.ForEach(answers, a => a.Dispose());
    }

    [Fact]
    public async Task Broken_requests_get_a_problem_with_a_code_and_store_nothing()
    {
        byte[] whole = Gzip(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(i => $"{{\"qname\":\"{i}.example\",\"end_time\":1}}\n"))));
        await ExpectAsync(HttpStatusCode.BadRequest, "broken-gzip", PostAsync("/v1/logs/dns", whole[..(whole.Length / 2)], "gzip"));
        await ExpectAsync(HttpStatusCode.BadRequest, "broken-gzip", PostAsync("/v1/logs/dns", whole[..^3], "gzip"));
        await ExpectAsync(HttpStatusCode.BadRequest, "broken-gzip", PostAsync("/v1/logs/dns", "plain"u8.ToArray(), "gzip"));
        await ExpectAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-encoding", PostAsync("/v1/logs/dns", [1], "br"));
        await ExpectAsync(HttpStatusCode.BadRequest, "unknown-format", PostAsync("/v1/logs/dns?format=zeke", [1]));
        await ExpectAsync(HttpStatusCode.BadRequest, "bad-idempotency-key", PostAsync("/v1/logs/dns", [1], key: new string('k', 300)));
        Assert.Empty(await _store.LinesAsync());
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_packed_or_not()
    {
        byte[] blank = new byte[LogIngestion.MostBytes + 1];
        blank.AsSpan().Fill((byte)'\n');
        await ExpectAsync(HttpStatusCode.RequestEntityTooLarge, "too-large", PostAsync("/v1/logs/dns", Gzip(blank), "gzip"));
        using HttpResponseMessage most = await PostAsync("/v1/logs/dns", Gzip(blank[1..]), "gzip");
        Assert.Equal(HttpStatusCode.OK, most.StatusCode);
    }

    [Fact]
    public async Task A_full_disk_is_507()
    {
        _files.Room = 5;
        await ExpectAsync(HttpStatusCode.InsufficientStorage, "storage-full", PostAsync("/v1/logs/dns", "{\"qname\":\"a\",\"end_time\":1}"u8.ToArray()), "The disk or database of this server is full; nothing was stored.");
        _files.Room = null;
        using HttpResponseMessage answer = await PostAsync("/v1/logs/dns", "{\"qname\":\"a\",\"end_time\":1}"u8.ToArray());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task ExpectAsync(HttpStatusCode status, string code, Task<HttpResponseMessage> answer, string? detail = null)
    {
        using HttpResponseMessage response = await answer;
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonElement problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(detail ?? problem.GetProperty("detail").GetString(), problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_key_has_at_most_255_characters()
    {
        byte[] body = "{\"qname\":\"a\",\"end_time\":1}\n"u8.ToArray();
        using HttpResponseMessage longest = await PostAsync("/v1/logs/dns", body, key: new string('k', 255));
        Assert.Equal(HttpStatusCode.OK, longest.StatusCode);
        using HttpResponseMessage longer = await PostAsync("/v1/logs/dns", body, key: new string('k', 256));
        Assert.Equal(HttpStatusCode.BadRequest, longer.StatusCode);
        Assert.Single(await _store.LinesAsync());
    }

    private async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string? encoding = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _app.Urls.First() + path) { Content = new ByteArrayContent(body) };
        if (encoding is not null)
        {
            request.Content.Headers.ContentEncoding.Add(encoding);
        }
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }
        return await s_client.SendAsync(request);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var to = new MemoryStream();
        using (var zip = new GZipStream(to, CompressionLevel.Fastest))
        {
            zip.Write(bytes);
        }
        return to.ToArray();
    }
}
