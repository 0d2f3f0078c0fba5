using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ThreatFeeds.Api.ElasticsearchShaped;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Api.KubernetesShaped;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What clients are told while the database cannot be reached.</summary>
public sealed class DatabaseAwayTests
{
    private const string Feeds = "/apis/projectcalico.org/v3/globalthreatfeeds";
    private const string Document = "/elasticsearch/tigera_secure_ee_threatfeeds_ipset.cluster./_doc/f";

    [Fact]
    public async Task A_database_that_nobody_answers_for_is_a_503()
    {
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        int port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username=u;Database=d;Timeout=5");
        NpgsqlException e = await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.OpenAsync());
        ProblemResult problem = Problems.Describe(new InvalidOperationException("An exception has been raised that is likely due to a transient failure.", new DbUpdateException("Failed.", e)));
        Assert.Equal((503, "database-unavailable"), (problem.Status, problem.Code));
        Assert.DoesNotContain("127.0.0.1", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("57P01", 503)] // The server is being stopped.
    [InlineData("57P02", 503)]
    [InlineData("57P03", 503)] // It is starting.
    [InlineData("08006", 503)]
    [InlineData("53300", 503)] // Too many connections.
    [InlineData("28P01", 503)] // Its password was changed.
    [InlineData("28000", 503)] // It lets this client in no more.
    [InlineData("3D000", 503)] // The database was renamed or dropped.
    [InlineData("25006", 503)] // It may only be read now.
    [InlineData("53100", 507)]
    [InlineData("23505", 500)] // What this program did wrong is not the database's absence.
    [InlineData("42703", 500)]
    [InlineData("22021", 500)]
    public void What_the_server_says_is_told_apart(string state, int status) =>
        Assert.Equal(status, Problems.Describe(new DbUpdateException("Failed.", new PostgresException("No.", "FATAL", "FATAL", state))).Status);

    [Theory]
    [InlineData(5, 503)]
    [InlineData(6, 503)]
    [InlineData(1, 500)]
    public void A_database_file_that_another_process_holds_is_a_503(int code, int status) =>
        Assert.Equal(status, Problems.Describe(new DbUpdateException("Failed.", new SqliteException("No.", code))).Status);

    [Fact]
    public void A_fault_of_ours_stays_one() => Assert.Equal(500, Problems.Describe(new InvalidOperationException("No.", new SocketException(111))).Status);

    [Theory]
    [InlineData(503, "ServiceUnavailable", "no_shard_available_action_exception")]
    [InlineData(500, "InternalError", "exception")]
    [InlineData(507, "InternalError", "cluster_block_exception")]
    public async Task An_error_has_the_shape_of_where_it_was_asked(int status, string reason, string type)
    {
        var problem = new ProblemResult(status, "code", "Title", "The detail.");
        JsonNode kubernetes = await BodyAsync(KubernetesStatus.Of(problem));
        Assert.Equal(("Status", "Failure", reason, "The detail.", status), (
            kubernetes["kind"]!.GetValue<string>(), kubernetes["status"]!.GetValue<string>(), kubernetes["reason"]!.GetValue<string>(),
            kubernetes["message"]!.GetValue<string>(), kubernetes["code"]!.GetValue<int>()));
        JsonNode elastic = await BodyAsync(new ElasticError(problem));
        Assert.Equal((status, type, "The detail."), (elastic["status"]!.GetValue<int>(), elastic["error"]!["type"]!.GetValue<string>(), elastic["error"]!["reason"]!.GetValue<string>()));
    }

    [Theory, OnPostgres]
    public async Task While_it_is_away_every_call_says_so_in_its_own_shape_and_afterwards_all_is_as_before(StorageProvider provider)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(provider);
        await using var way = new PostgresWay(database.ConnectionString);
        await using AppFixture app = await AppFixture.StartAsync("Storage:Provider=Postgres", $"ConnectionStrings:ThreatFeeds={way.ConnectionString}");
        using (HttpResponseMessage before = await app.Client.GetAsync(Feeds))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        way.Close();
        JsonNode ours = await AwayAsync(app, HttpMethod.Get, "/v1/alerts", "application/problem+json");
        Assert.Equal("database-unavailable", ours["code"]!.GetValue<string>());
        Assert.NotNull(ours["traceId"]);
        JsonNode kubernetes = await AwayAsync(app, HttpMethod.Get, Feeds, "application/json");
        Assert.Equal(("Status", "ServiceUnavailable"), (kubernetes["kind"]!.GetValue<string>(), kubernetes["reason"]!.GetValue<string>()));
        JsonNode elastic = await AwayAsync(app, HttpMethod.Get, Document, "application/json");
        Assert.Equal("no_shard_available_action_exception", elastic["error"]!["type"]!.GetValue<string>());
        JsonNode push = await AwayAsync(app, HttpMethod.Put, Document, "application/json", """{"ips":["192.0.2.1"]}""");
        Assert.Equal(503, push["status"]!.GetValue<int>());
        await AwayAsync(app, HttpMethod.Post, Feeds, "application/json", """{"kind":"GlobalThreatFeed","apiVersion":"projectcalico.org/v3","metadata":{"name":"f"},"spec":{"content":"IPSet"}}""");

        way.Open();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            using HttpResponseMessage after = await app.Client.GetAsync(Feeds, patience.Token);
            if (after.StatusCode == HttpStatusCode.OK)
            {
                break;
            }
            Assert.Equal(HttpStatusCode.ServiceUnavailable, after.StatusCode);
        }
    }

    private static async Task<JsonNode> AwayAsync(AppFixture app, HttpMethod method, string path, string type, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{method} {path}: {answer.StatusCode} {text}");
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero, path);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(text)!;
    }

    private static async Task<JsonNode> BodyAsync(IResult result)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await result.ExecuteAsync(context);
        body.Position = 0;
        return (await JsonNode.ParseAsync(body))!;
    }
}
