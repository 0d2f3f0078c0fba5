using System.Text.RegularExpressions;
using System.Text;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

public sealed class FeedRulesTests
{
    private readonly FeedReader _reader = new(path => path.StartsWith('$') ? null : "a path begins with $");

    private FeedReading Read(string yaml) => _reader.Read(ManifestText.ReadYaml(Encoding.UTF8.GetBytes(yaml)));

    private FeedReading ReadSpec(string spec, string metadata = "{name: my-feed}") =>
        Read($"{{apiVersion: projectcalico.org/v3, kind: GlobalThreatFeed, metadata: {metadata}, spec: {spec}}}");

    private FeedReading ReadHttp(string members) => ReadSpec($"{{pull: {{http: {{url: 'https://a.example/', {members}}}}}}}");

    [Theory]
    [InlineData("0", true)]
    [InlineData("0.5", true)]
    [InlineData("1", true)]
    [InlineData("1.01", false)]
    [InlineData("1e-1", false)]
    [InlineData("-0.5", false)]
    public void The_least_share_is_a_number_from_0_to_1_written_plainly(string share, bool taken) =>
        Assert.Equal(taken, ReadSpec("{}", $"{{name: my-feed, annotations: {{threatfeeds.io/min-share: '{share}'}}}}").Problems.Count == 0);

    [SharedDataFact]
    public void Every_feed_of_the_documentation_is_accepted()
    {
        string[] files = Directory.GetFiles(SharedData.PathOf("vectors/globalthreatfeed/docs"), "*-threatfeed-*.yaml");
        Assert.Equal(8, files.Length);
        foreach (string file in files)
        {
            FeedReading reading = _reader.Read(ManifestText.ReadYaml(File.ReadAllBytes(file)));
            Assert.True(reading.Problems.Count == 0, $"{file}: {string.Join("; ", reading.Problems)}");
            Assert.Empty(reading.UnknownFields);
            Assert.NotNull(reading.Manifest);
        }
    }

    [SharedDataFact]
    public void Every_invalid_case_is_refused_for_its_reason_at_its_path()
    {
        var expected = new Dictionary<string, (string Path, string Reason, string Words)>
        {
            ["bad-content"] = ("spec.content", "FieldValueNotSupported", "supported values: \"DomainNameSet\", \"IPSet\""),
            ["bad-mode"] = ("spec.mode", "FieldValueNotSupported", "\"On\""),
            ["bad-feedtype"] = ("spec.feedType", "FieldValueNotSupported", "\"Other\""),
            ["bad-gns"] = ("spec.globalNetworkSet", "FieldValueInvalid", "DomainNameSet does not support syncing with a GlobalNetworkSet"),
            ["bad-two-formats"] = ("spec.pull.http.format", "FieldValueInvalid", "only one format type may be specified"),
            ["bad-csv-both"] = ("spec.pull.http.format.csv", "FieldValueInvalid", "fieldNum and fieldName are mutually exclusive"),
            ["bad-csv-none"] = ("spec.pull.http.format.csv", "FieldValueRequired", "one of fieldNum and fieldName"),
            ["bad-csv-noheader"] = ("spec.pull.http.format.csv.fieldName", "FieldValueInvalid", "header: true"),
            ["bad-csv-size"] = ("spec.pull.http.format.csv.recordSize", "FieldValueInvalid", "mutually exclusive"),
            ["bad-json"] = ("spec.pull.http.format.json.path", "FieldValueRequired", "path"),
            ["bad-url"] = ("spec.pull.http.url", "FieldValueInvalid", "^https?://"),
            ["bad-period"] = ("spec.pull.period", "FieldValueInvalid", "at least 5m"),
            ["bad-header-both"] = ("spec.pull.http.headers[0]", "FieldValueInvalid", "value and valueFrom are mutually exclusive"),
            ["bad-secret-name"] = ("spec.pull.http.headers[0].valueFrom.secretKeyRef.name", "FieldValueInvalid", "globalthreatfeed-bad-secret-name-"),
            ["bad-gns-without-pull"] = ("spec.globalNetworkSet", "FieldValueInvalid", "pull"),
        };
        string text = Encoding.UTF8.GetString(SharedData.Read("vectors/globalthreatfeed/invalid-cases.yaml"));
        string[] cases = Regex.Split(text, @"^---$", RegexOptions.Multiline);
        Assert.Equal(expected.Count, cases.Length);
        foreach (string yaml in cases)
        {
            FeedReading reading = Read(yaml);
            FeedProblem problem = Assert.Single(reading.Problems);
            (string path, string reason, string words) = expected[reading.Name];
            Assert.Equal((path, reason), (problem.Path, problem.Reason));
            Assert.Contains(words, problem.Message, StringComparison.Ordinal);
            Assert.Null(reading.Manifest);
        }
    }

    [Theory]
    [InlineData("headers: [{name: X}]", "headers[0]", "one of value and valueFrom")]
    [InlineData("headers: [{name: X, valueFrom: {}}]", "headers[0].valueFrom", "one of configMapKeyRef and secretKeyRef")]
    [InlineData("headers: [{name: X, valueFrom: {secretKeyRef: {name: globalthreatfeed-my-feed-a, key: k}, configMapKeyRef: {name: globalthreatfeed-my-feed-a, key: k}}}]", "headers[0].valueFrom", "mutually exclusive")]
    [InlineData("headers: [{name: X, valueFrom: {secretKeyRef: {name: globalthreatfeed-my-feed-, key: k}}}]", "headers[0].valueFrom.secretKeyRef.name", "must begin with")]
    [InlineData("headers: [{name: X, valueFrom: {configMapKeyRef: {name: globalthreatfeed-my-feed-a}}}]", "headers[0].valueFrom.configMapKeyRef.key", "key")]
    [InlineData("headers: [{name: 'X Y', value: a}]", "headers[0].name", "header's name")]
    [InlineData("headers: [{name: 'X', value: a}, {name: Ü, value: a}]", "headers[1].name", "header's name")]
    [InlineData("headers: [{value: a}]", "headers[0].name", "Required")]
    [InlineData("headers: [{name: X, value: \"a\\r\\nHost: b\"}]", "headers[0].value", "printable")]
    [InlineData("headers: {}", "headers", "must be of type array")]
    [InlineData("headers: [{name: X, value: a}, {name: Content-Type, value: text/plain}]", "headers[1].name", "Content-Type cannot be set: it describes a body")]
    [InlineData("headers: [{name: content-length, value: '0'}]", "headers[0].name", "content-length cannot be set: it describes a body")]
    [InlineData("headers: [{name: Transfer-Encoding, value: chunked}]", "headers[0].name", "between two neighbours")]
    [InlineData("headers: [{name: X, value: a}, {name: If-None-Match, value: '*'}]", "headers[1].name", "If-None-Match cannot be set: a pull asks by itself")]
    [InlineData("headers: [{name: range, value: bytes=0-9}]", "headers[0].name", "range cannot be set: a pull asks by itself")]
    [InlineData("headers: [{name: HTTP2-Settings, value: a}]", "headers[0].name", "between two neighbours")]
    [InlineData("headers: [{name: HOST, value: a.example}]", "headers[0].name", "HOST cannot be set: the URL says it")]
    [InlineData("headers: [{name: Proxy-Authorization, value: a}]", "headers[0].name", "Pulling:Proxy")]
    [InlineData("headers: [{name: X-Key, value: a}, {name: Y, value: b}, {name: x-key, value: c}]", "headers[2].name", "\"x-key\": it is the same header as \"X-Key\"")]
    [InlineData("headers: [{name: X-Key, value: a}, {name: X-Key, value: b}]", "headers[1].name", "leave one of them out")]
    [InlineData("format: {csv: {fieldNum: -1}}", "format.csv.fieldNum", "the first is 0")]
    [InlineData("format: {csv: {fieldNum: 1.5}}", "format.csv.fieldNum", "must be of type integer")]
    [InlineData("format: {csv: {fieldNum: 0, columnDelimiter: ab}}", "format.csv.columnDelimiter", "one character")]
    [InlineData("format: {csv: {fieldNum: 0, commentDelimiter: ','}}", "format.csv.commentDelimiter", "must differ")]
    [InlineData("format: {csv: {fieldNum: 0, recordSize: 0}}", "format.csv.recordSize", "greater than 0")]
    [InlineData("format: {csv: {fieldNum: 0, header: 'true'}}", "format.csv.header", "must be of type boolean")]
    [InlineData("format: {json: {path: a.b}}", "format.json.path", "a path begins with $")]
    public void Each_rule_of_a_pull_names_its_place(string members, string path, string words)
    {
        FeedReading reading = ReadHttp(members);
        Assert.Contains(reading.Problems, p => p.Path == $"spec.pull.http.{path}" && p.Message.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://user:secret@a.example/", "user info")]
    [InlineData("https://@a.example/", "user info")]
    [InlineData("https://", "not a URL")]
    [InlineData("HTTPS://a.example/", "^https?://")]
    [InlineData("https://a.example/ b", "white space")]
    public void A_URL_is_refused_without_repeating_its_password(string url, string words)
    {
        FeedProblem problem = Assert.Single(ReadSpec($"{{pull: {{http: {{url: '{url}'}}}}}}").Problems);
        Assert.Equal("spec.pull.http.url", problem.Path);
        Assert.Contains(words, problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{name: Upper}", "metadata.name")]
    [InlineData("{name: a_b}", "metadata.name")]
    [InlineData("{name: -a}", "metadata.name")]
    [InlineData("{name: a..b}", "metadata.name")]
    [InlineData("{}", "metadata.name")]
    [InlineData("{name: a, labels: {a: 'b c'}}", "metadata.labels")]
    [InlineData("{name: a, labels: {'a b': c}}", "metadata.labels")]
    [InlineData("{name: a, labels: {a: 1}}", "metadata.labels.a")]
    [InlineData("{name: a, annotations: {'/x': c}}", "metadata.annotations")]
    [InlineData("{name: a, annotations: {threatfeeds.io/match-subdomains: 'yes'}}", "metadata.annotations[threatfeeds.io/match-subdomains]")]
    [InlineData("{name: a, annotations: {threatfeeds.io/urls: 'path'}}", "metadata.annotations[threatfeeds.io/urls]")]
    [InlineData("{name: a, annotations: {threatfeeds.io/min-share: '1.1'}}", "metadata.annotations[threatfeeds.io/min-share]")]
    [InlineData("{name: a, annotations: {threatfeeds.io/min-share: 'NaN'}}", "metadata.annotations[threatfeeds.io/min-share]")]
    public void Metadata_follows_the_rules_of_Kubernetes_and_ours(string metadata, string path) =>
        Assert.Equal(path, Assert.Single(ReadSpec("{}", metadata).Problems).Path);

    [Fact]
    public void A_name_has_at_most_200_characters()
    {
        Assert.Empty(ReadSpec("{}", $"{{name: {new string('a', 200)}}}").Problems);
        Assert.Equal("FieldValueTooLong", Assert.Single(ReadSpec("{}", $"{{name: {new string('a', 201)}}}").Problems).Reason);
    }

    [Fact]
    public void A_description_has_at_most_256_characters_however_they_are_encoded()
    {
        Assert.Empty(ReadSpec($"{{description: '{string.Concat(Enumerable.Repeat("😀", 256))}'}}").Problems);
        Assert.Equal("spec.description", Assert.Single(ReadSpec($"{{description: '{new string('a', 257)}'}}").Problems).Path);
    }

    [Theory]
    [InlineData("5m", null)]
    [InlineData("300s", null)]
    [InlineData("4m59.999999999s", "at least 5m")]
    public void A_period_has_at_least_five_minutes(string period, string? words)
    {
        IReadOnlyList<FeedProblem> problems = ReadSpec($"{{pull: {{period: {period}, http: {{url: 'https://a.example/'}}}}}}").Problems;
        Assert.Equal(words is null, problems.Count == 0);
        Assert.All(problems, p => Assert.Contains(words!, p.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void The_first_column_and_the_longest_label_are_allowed()
    {
        Assert.Empty(ReadHttp("format: {csv: {fieldNum: 0}}").Problems);
        Assert.Empty(ReadSpec("{}", $"{{name: a, labels: {{a: {new string('b', 63)}}}}}").Problems);
        Assert.Single(ReadSpec("{}", $"{{name: a, labels: {{a: {new string('b', 64)}}}}}").Problems);
    }

    [Theory]
    [InlineData("labels")]
    [InlineData("annotations")]
    public void Labels_and_annotations_are_bounded_together(string map)
    {
        string members = string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"k{i}: {new string('v', 60)}"));
        FeedProblem problem = Assert.Single(ReadSpec("{}", $"{{name: a, {map}: {{{members}}}}}").Problems);
        Assert.Equal(("metadata." + map, "FieldValueTooLong"), (problem.Path, problem.Reason));
    }

    [Fact]
    public void A_header_has_either_a_value_or_a_source()
    {
        FeedReading reading = ReadHttp("headers: [{name: X, value: a, valueFrom: {secretKeyRef: {name: globalthreatfeed-my-feed-a, key: k}}}]");
        Assert.Contains("value and valueFrom are mutually exclusive", Assert.Single(reading.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_manifests_get_the_original_defaults()
    {
        FeedSpec spec = ReadSpec("{pull: {http: {url: 'https://a.example/list', format: {}}}}", "{name: training.ip.threatfeed}").Manifest!.Feed.Spec;
        Assert.Equal((ContentKind.IPSet, true, false), (spec.Content, spec.Enabled, spec.Builtin));
        Assert.Equal(TimeSpan.FromHours(24), spec.Pull!.Period);
        Assert.IsType<FeedFormat.NewlineDelimited>(spec.Pull.Format);
    }

    [Fact]
    public void Unknown_fields_are_left_out_and_named()
    {
        FeedReading reading = ReadSpec("{content: IPSet, foo: 1, pull: {http: {url: 'https://a.example/', bar: {baz: 2}}}}");
        Assert.Equal(["spec.pull.http.bar", "spec.foo"], reading.UnknownFields);
        Assert.Equal("""{"content":"IPSet","pull":{"http":{"url":"https://a.example/"}}}""", reading.Manifest!.Spec.ToJsonString());
    }

    [Fact]
    public void The_flat_manifest_of_the_documentation_is_answered_with_the_one_that_was_meant()
    {
        FeedReading reading = Read("kind: GlobalThreatFeed\nname: my-threat-feed\ncontent: DomainNameSet\nmode: Enabled\ndescription: 'This is my threat feed'\nfeedType: Custom\n");
        Assert.Equal(["apiVersion", "metadata", "spec"], reading.Problems.Select(p => p.Path));
        string meant = reading.Problems[^1].Message.Split("The manifest that was meant:\n")[1];
        Assert.Equal("my-threat-feed", Assert.IsType<ValidManifest>(Read(meant).Manifest).Feed.Name);
    }

    [Theory]
    [InlineData("metadata:\nname: my-threat-feed\n", "metadata,spec")]
    [InlineData("metadata:\n  name: my-threat-feed\n", "spec")]
    public void A_manifest_that_lost_its_indentation_is_told_so_and_shown_with_it(string metadata, string empty)
    {
        FeedReading reading = Read($"apiVersion: projectcalico.org/v3\nkind: GlobalThreatFeed\n{metadata}spec:\ncontent: IPSet\nmode: Enabled\npull:\nperiod: 12h\nhttp:\n"
            + "url: https://a.example/list\nformat:\njson:\npath: $.a\n");
        Assert.Equal(empty.Split(','), reading.Problems.Select(p => p.Path));
        Assert.All(reading.Problems, p => Assert.Contains($"{p.Path} is empty", p.Message, StringComparison.Ordinal));
        Assert.All(reading.Problems, p => Assert.Contains("indentation", p.Message, StringComparison.Ordinal));
        string meant = reading.Problems[^1].Message.Split("The manifest that was meant:\n")[1];
        Feed feed = Assert.IsType<ValidManifest>(Read(meant).Manifest).Feed;
        Assert.Equal(("my-threat-feed", TimeSpan.FromHours(12)), (feed.Name, feed.Spec.Pull!.Period));
        Assert.Equal("$.a", Assert.IsType<FeedFormat.Json>(feed.Spec.Pull.Format).Path);
    }

    [Fact]
    public void A_stored_feed_that_breaks_todays_rules_is_still_read()
    {
        Feed feed = StoredFeed.Of(new ResourceRow
        {
            Kind = "GlobalThreatFeed",
            Name = "old",
            Spec = """{"content":"DomainNameSet","globalNetworkSet":{"labels":{}},"pull":{"period":"1x","http":{"url":"http://a.example/","format":{"json":{"path":"$.a"},"csv":{"fieldNum":1}}}},"extra":1}""",
        }).Feed;
        Assert.Null(feed.Spec.GlobalNetworkSetLabels);
        Assert.Equal(TimeSpan.FromHours(24), feed.Spec.Pull!.Period);
        Assert.Equal("$.a", Assert.IsType<FeedFormat.Json>(feed.Spec.Pull.Format).Path);
    }
}
