using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;
using Xunit;

namespace ThreatFeeds.Tests.KubernetesShaped;

/// <summary>However much is wrong with a manifest of 1 MiB, the answer says the first of it, how much more there is, and stays short.</summary>
public sealed class ManyProblemsTests : IAsyncLifetime
{
    private const int MaxAnswer = 300_000;
    private const int MaxManifest = 1_000_000;

    private KubernetesServer _server = null!;

    public async Task InitializeAsync() => _server = await KubernetesServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    /// <summary>What is wrong: metadata, spec (a star stands for as many members as there is room for), a member, what the answer says besides.</summary>
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "\"name\":\"a\",\"labels\":{*}", "", "\"-#\":\"\"", "more problems" },
        { "\"name\":\"a\",\"labels\":{*}", "", "\"k#\":\"-\"", "more problems" },
        { "\"name\":\"a\",\"labels\":{*}", "", "\"k#\":1", "more problems" },
        { "\"name\":\"a\",\"annotations\":{*}", "", "\"-#\":\"\"", "more problems" },
        { "\"name\":\"a\",\"annotations\":{*}", "", "\"k#\":{}", "more problems" },
        { "\"name\":\"a\"", "\"globalNetworkSet\":{\"labels\":{*}}", "\"-#\":\"\"", "more problems" },
        { "\"name\":\"a\"", "\"pull\":{\"http\":{\"url\":\"https://a.example/\",\"headers\":[*]}}", "{}", "at most 100" },
        { "\"name\":\"a\"", "\"pull\":{\"http\":{\"url\":\"https://a.example/\",\"headers\":[*]}}", "1", "more problems" },
        { "\"name\":\"a\"", "\"pull\":{\"http\":{\"url\":\"https://a.example/\",\"headers\":[*]}}", "{\"name\":\"a\",\"value\":\"b\"}", "at most 100" },
        { "\"name\":\"*\"", "", "a", "at most 200 characters" },
        { "\"name\":\"a\"", "\"content\":\"*\"", "\U0001F98A", "supported values" },
        { "\"name\":\"a\",\"labels\":{\"*\":\"\"}", "", "-", "name part must consist" },
        { "\"name\":\"a\",\"labels\":{\"*\":1}", "", "-", "must be of type string" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_answer_to_a_manifest_full_of_problems_stays_short(string metadata, string spec, string member, string says)
    {
        string manifest = Full($"{{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{{{metadata}}},\"spec\":{{{spec}}}}}", member);
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, "globalthreatfeeds", manifest, "application/json");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.InRange(body["details"]!["causes"]!.AsArray().Count, 1, 101);
        Assert.InRange(body.ToJsonString().Length, 1, MaxAnswer);
        Assert.Contains(says, body["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"#\":1")]
    [InlineData("\"*\":1")]
    public async Task Unknown_fields_are_named_up_to_a_number_when_they_are_refused_and_when_they_are_warned_of(string member)
    {
        const string Manifest = "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\"},\"spec\":{*}}";
        string manifest = member.Contains('*', StringComparison.Ordinal) ? Full(Manifest.Replace("*", member, StringComparison.Ordinal), "k") : Full(Manifest, member);
        (HttpStatusCode code, JsonObject body, _) = await _server.SendAsync(HttpMethod.Post, "globalthreatfeeds?fieldValidation=Strict", manifest, "application/json");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.StartsWith("strict decoding error: unknown field \"spec.", body["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.InRange(body.ToJsonString().Length, 1, 40_000);

        (code, _, HttpResponseMessage response) = await _server.SendAsync(HttpMethod.Post, "globalthreatfeeds", manifest, "application/json");
        Assert.Equal(HttpStatusCode.Created, code);
        Assert.InRange(response.Headers.GetValues("Warning").Sum(w => w.Length), 1, 8_000);
    }

    [Fact]
    public void A_problem_is_told_without_cutting_a_character_in_two()
    {
        var reader = new FeedReader(_ => null);
        FeedReading reading = reader.Read(ManifestText.ReadJson(Encoding.UTF8.GetBytes(Full("{\"apiVersion\":\"x*\",\"kind\":\"GlobalThreatFeed\",\"metadata\":{\"name\":\"a\"},\"spec\":{}}", "\U0001F98A"))));
        string message = Assert.Single(reading.Problems).Message;
        Assert.InRange(message.Length, 100, 2000);
        Assert.DoesNotContain('\uFFFD', Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(message)));
    }

    /// <summary>The star replaced by members until the manifest is nearly 1 MiB; # in a member is its number.</summary>
    private static string Full(string manifest, string member)
    {
        string[] parts = manifest.Split('*', 2);
        bool list = member.Contains('"', StringComparison.Ordinal) || member is "{}" or "1";
        var text = new StringBuilder(parts[0]);
        int bytes = Encoding.UTF8.GetByteCount(member) + 7;
        for (int i = 0; i < MaxManifest / bytes; i++)
        {
            text.Append(list && i > 0 ? "," : "").Append(member.Replace("#", $"{i}", StringComparison.Ordinal));
        }
        return text.Append(parts[1]).ToString();
    }
}
