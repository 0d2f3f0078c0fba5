using System.Net;
using System.Text;
using System.Text.Json;
using ThreatFeeds.Api.ElasticsearchShaped;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Tests.Pulling;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.ElasticsearchShaped;

public sealed class ElasticsearchTests : IAsyncLifetime, IDisposable
{
    private const string Ips = "tigera_secure_ee_threatfeeds_ipset.cluster.";
    private const string Names = "tigera_secure_ee_threatfeeds_domainnameset.cluster.";
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private FeedsHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await FeedsHost.CreateAsync(_folder.Path, s => IncomingBody.Add(s.AddElasticsearchShaped(), new BodyOptions()), a =>
        {
            IncomingBody.Use(a);
            OutgoingAnswer.Use(a);
            a.MapElasticsearchShaped("cluster");
        });
        await _host.StartAsync();
        _http.BaseAddress = new Uri(_host.App.Urls.First());
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Clients_find_the_server_they_know()
    {
        (HttpStatusCode status, JsonElement info) = await SendAsync("GET", "", null);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("8.19.", info.GetProperty("version").GetProperty("number").GetString());
        Assert.Equal("You Know, for Search", info.GetProperty("tagline").GetString());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("HEAD", "/", null)).Status);
    }

    [Theory]
    [InlineData("/" + Ips + "/_doc/f")]
    [InlineData("/.tigera.ipset.cluster/_doc/f")]
    [InlineData("/calico_threatfeeds_ipset_standard/_doc/f")]
    [InlineData("/%3Ctigera_secure_ee_threatfeeds_ipset.cluster.linseed-%7Bnow%2Fs%7ByyyyMMdd%7D%7D-000001%3E/_doc/f")]
    [InlineData("/" + Ips + "/_create/f")]
    public async Task Every_name_of_the_index_reaches_the_feed(string path)
    {
        await _host.CreateAsync("f", "IPSet");
        (HttpStatusCode status, JsonElement answer) = await SendAsync("PUT", path, """{"ips": ["99.99.99.99/32"]}""");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("created", answer.GetProperty("result").GetString());
        Assert.Equal(1, answer.GetProperty("_version").GetInt64());
        Assert.Equal(["99.99.99.99"], await _host.IndicatorsAsync("f"));
    }

    [Fact]
    public async Task A_document_walks_through_its_life()
    {
        await _host.CreateAsync("f", "DomainNameSet");
        string path = $"/{Names}/_doc/f";
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("GET", path, null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("POST", $"/{Names}/_update/f", """{"doc": {"domains": ["a.example"]}}""")).Status);
        Assert.Equal(HttpStatusCode.Created, (await SendAsync("POST", path, """{"domains": ["a.example"]}""")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync("PUT", $"/{Names}/_create/f", """{"domains": ["a.example"]}""")).Status);
        (HttpStatusCode updated, JsonElement answer) = await SendAsync("POST", $"/{Names}/_update/f", """{"doc": {"domains": ["b.example"]}, "doc_as_upsert": true}""");
        Assert.Equal((HttpStatusCode.OK, "updated", 2L), (updated, answer.GetProperty("result").GetString(), answer.GetProperty("_version").GetInt64()));
        JsonElement read = (await SendAsync("GET", path, null)).Answer;
        Assert.Equal("b.example", read.GetProperty("_source").GetProperty("domains")[0].GetString());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("HEAD", path, null)).Status);
        Assert.Equal("deleted", (await SendAsync("DELETE", path, null)).Answer.GetProperty("result").GetString());
        Assert.Empty(await _host.IndicatorsAsync("f"));
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("DELETE", path, null)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    public async Task A_long_document_reads_back_as_it_was_sent_wherever_it_is_taken_apart(string shift)
    {
        await _host.CreateAsync("f", "DomainNameSet");
        string path = $"/{Names}/_doc/f", odd = shift + string.Concat(Enumerable.Repeat("🦊", 50_000));
        Assert.Equal(HttpStatusCode.Created, (await SendAsync("PUT", path, $$"""{"domains": ["a.example", "{{odd}}"]}""")).Status);
        JsonElement read = (await SendAsync("GET", path, null)).Answer;
        Assert.True(read.GetProperty("_source").GetProperty("domains")[1].GetString() == odd);
    }

    [Fact]
    public async Task What_is_only_to_be_created_or_only_to_be_changed_is_not_done_otherwise()
    {
        await _host.CreateAsync("f", "DomainNameSet");
        string update = $"/{Names}/_update/f";
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("POST", update, """{"doc": {"domains": ["a.example"]}, "doc_as_upsert": false}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("POST", update, """{"doc": {"domains": ["a.example"]}, "doc": {"domains": ["b.example"]}, "doc_as_upsert": true}""")).Status);
        Assert.Empty(await _host.IndicatorsAsync("f"));
        Assert.Equal(HttpStatusCode.Created, (await SendAsync("PUT", $"/{Names}/_doc/f?op_type=create", """{"domains": ["a.example"]}""")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync("PUT", $"/{Names}/_doc/f?op_type=create", """{"domains": ["b.example"]}""")).Status);
        Assert.Equal(["a.example"], await _host.IndicatorsAsync("f"));
    }

    [Theory]
    [InlineData("PUT", "/" + Ips + "/_doc/f", "", 400, "request body is required")]
    [InlineData("PUT", "/" + Ips + "/_doc/f", "\"ips\" : [\"99.99.99.99/32\"]", 400, "braces around it are missing")]
    [InlineData("PUT", "/" + Ips + "/_doc/f", "{\"ips\" : [\"99.99.99.99/32\"]", 400, "not JSON")]
    [InlineData("PUT", "/" + Ips + "/_doc/f", "{\"domains\" : [\"a.example\"]}", 400, "'ips'")]
    [InlineData("PUT", "/" + Names + "/_doc/f", "{\"domains\" : [\"a.example\"]}", 400, "content IPSet")]
    [InlineData("PUT", "/" + Ips + "/_doc/f/_doc/f", "{\"ips\" : [\"99.99.99.99/32\"]}", 400, "/_doc/ twice")]
    [InlineData("PUT", "/.tigera.ipset.cluster01/_doc/f", "{\"ips\" : [\"99.99.99.99/32\"]}", 404, Ips)]
    [InlineData("PUT", "/other/_doc/f", "{}", 404, Ips)]
    [InlineData("PUT", "/" + Ips + "/_doc/pulled", "{\"ips\" : [\"99.99.99.99/32\"]}", 409, "is pulled from")]
    [InlineData("PUT", "/" + Ips + "/_doc/Bad_Name", "{\"ips\" : [\"99.99.99.99/32\"]}", 400, "name of a feed")]
    [InlineData("POST", "/" + Ips + "/_doc", "{\"ips\" : [\"99.99.99.99/32\"]}", 400, "id is missing")]
    [InlineData("POST", "/" + Ips + "/_update/f", "{\"script\": {}}", 400, "doc")]
    [InlineData("PATCH", "/" + Ips + "/_doc/f", "{}", 405, "allowed")]
    [InlineData("POST", "/_bulk", "{}\n", 400, "these do")]
    [InlineData("GET", "/_cat/indices", null, 400, "these do")]
    [InlineData("GET", "/" + Ips + "/_search", null, 400, "these do")]
    public async Task Mistakes_are_answered_in_the_error_shape_with_what_to_write(string method, string path, string? body, int status, string words)
    {
        await _host.CreateAsync("f", "IPSet");
        await _host.CreateAsync("pulled", "IPSet", "https://feeds.example/ips.txt");
        (HttpStatusCode got, JsonElement answer) = await SendAsync(method, path, body);
        Assert.Equal(status, (int)got);
        Assert.Equal(status, answer.GetProperty("status").GetInt32());
        JsonElement error = answer.GetProperty("error");
        Assert.Contains(words, error.GetProperty("reason").GetString());
        Assert.Equal(error.GetProperty("type").GetString(), error.GetProperty("root_cause")[0].GetProperty("type").GetString());
    }

    [SharedDataTheory]
    [InlineData("03", "sample-global-threat-feed", "cluster01", true)]
    [InlineData("04", "example-global-threat-feed", "cluster01", true)]
    [InlineData("11", "my-threat-feed", "cluster", true)]
    [InlineData("12", "my-threat-feed", "cluster", true)]
    [InlineData("14", "my-threat-feed", "cluster", false)]
    [InlineData("15", "my-threat-feed", "cluster", false)]
    public async Task The_documented_samples_work_and_the_wrong_ones_say_why(string number, string feed, string cluster, bool works)
    {
        string[] lines = await File.ReadAllLinesAsync(SharedData.PathOf($"vectors/globalthreatfeed/docs/{number}-push-elasticsearch.http"));
        string[] request = lines[0].Split(' ');
        string path = "/" + request[1].TrimStart('/').Replace(cluster + "/", "cluster/", StringComparison.Ordinal);
        (HttpStatusCode status, _) = await SendAsync(request[0], path, string.Join('\n', lines[1..]));
        Assert.Equal(works ? HttpStatusCode.Created : HttpStatusCode.BadRequest, status);
        if (works)
        {
            await _host.CreateAsync(feed, path.Contains("ipset", StringComparison.Ordinal) ? "IPSet" : "DomainNameSet");
            await FeedsHost.UntilAsync(async () => (await _host.IndicatorsAsync(feed)).Count == 2);
        }
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> SendAsync(string method, string path, string? body)
    {
        // Kept as written: the encoded slash of date-math names must reach the server.
        var uri = new Uri(_http.BaseAddress + "elasticsearch" + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), uri);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        using HttpResponseMessage answer = await _http.SendAsync(request);
        Assert.Equal("Elasticsearch", Assert.Single(answer.Headers.GetValues("X-Elastic-Product")));
        string text = await answer.Content.ReadAsStringAsync();
        return (answer.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }
}
