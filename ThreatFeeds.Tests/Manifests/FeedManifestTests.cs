using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.Support;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

public sealed class FeedManifestTests
{
    [Fact]
    public void Sets_are_of_one_origin_only_when_they_were_fetched_and_read_alike()
    {
        var csv = new FeedFormat.Csv(1, null, true, ',', '#', null, false);
        FeedFormat[] formats =
        [
            new FeedFormat.NewlineDelimited(), new FeedFormat.Json("$.a"), new FeedFormat.Json("$.b"), csv, csv with { FieldNum = 2 }, csv with { FieldNum = null, FieldName = "name" }, csv with { Header = false },
            csv with { Delimiter = ';' }, csv with { Comment = null }, csv with { RecordSize = 3 }, csv with { DisableRecordSizeValidation = true },
        ];
        var none = new Dictionary<string, string>();
        string[] origins =
        [
            .. formats.Select(f => FeedOrigin.Of(Made(ContentKind.IPSet, "https://a.example/list", f, none))),
            FeedOrigin.Of(Made(ContentKind.DomainNameSet, "https://a.example/list", formats[0], none)),
            FeedOrigin.Of(Made(ContentKind.DomainNameSet, "https://a.example/list", formats[0], new Dictionary<string, string> { [FeedAnnotations.Urls] = "host" })),
            FeedOrigin.Of(Made(ContentKind.IPSet, "https://a.example/list?key=1", formats[0], none)),
        ];
        Assert.Equal(origins.Length, origins.Distinct().Count());

        static Feed Made(ContentKind content, string url, FeedFormat format, Dictionary<string, string> annotations) => new(
            "one", Guid.Empty, 0, new FeedSpec(content, true, null, false, null, new PullSpec(TimeSpan.FromHours(1), new Uri(url), format, [])), new Dictionary<string, string>(), annotations);
    }

    private static JsonObject Again(JsonObject manifest) => ManifestText.ReadYaml(Encoding.UTF8.GetBytes(ManifestYaml.Write(manifest)));

    [Fact]
    public void Any_text_in_a_manifest_reads_back_as_it_was()
    {
        Prop.ForAll<string, string>((key, value) =>
        {
            // Lone surrogates are no text: UTF-8 cannot hold them.
            static string Text(string? s) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s ?? ""));
            var manifest = new JsonObject { [Text(key)] = Text(value), ["list"] = new JsonArray(Text(value), Text(key)), ["empty"] = new JsonObject() };
            return JsonNode.DeepEquals(manifest, Again(manifest));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("null")]
    [InlineData("0x1F")]
    [InlineData("1e3")]
    [InlineData("1:30")]
    [InlineData("~")]
    [InlineData(" leading")]
    [InlineData("trailing: ")]
    [InlineData("a #b")]
    [InlineData("- a")]
    [InlineData("line\nbreak\u0085\u2028\u00a0\t\u0000\u001b")]
    [InlineData("emoji 😀 ünïcode")]
    [InlineData("\uFEFFmark")]
    public void Texts_that_look_like_something_else_read_back_as_texts(string text) =>
        Assert.Equal(text, Again(new JsonObject { ["a"] = text })["a"]!.GetValue<string>());

    [SharedDataFact]
    public void A_downloaded_manifest_is_what_the_user_wrote()
    {
        var reader = new FeedReader(_ => null);
        foreach (string file in Directory.GetFiles(SharedData.PathOf("vectors/globalthreatfeed/docs"), "*-threatfeed-*.yaml"))
        {
            JsonObject written = ManifestText.ReadYaml(File.ReadAllBytes(file));
            ValidManifest document = reader.Read(written).Manifest!;
            var row = new ResourceRow
            {
                Kind = "GlobalThreatFeed",
                Name = document.Feed.Name,
                Uid = Guid.NewGuid(),
                ResourceVersion = 7,
                Spec = document.Spec.ToJsonString(),
                Status = """{"lastSuccessfulSync":"2026-01-01T00:00:00Z"}""",
            };
            Assert.True(JsonNode.DeepEquals(written, ManifestText.ReadYaml(Encoding.UTF8.GetBytes(FeedManifest.ToYaml(row)))), file);
        }
    }

    [Fact]
    public void A_merge_patch_follows_the_examples_of_its_standard()
    {
        // RFC 7396, appendix A, those whose target and patch are objects.
        (string Target, string Patch, string Result)[] examples =
        [
            ("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}"""), ("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}"""),
            ("""{"a":"b"}""", """{"a":null}""", "{}"), ("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}"""),
            ("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}"""), ("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}"""),
            ("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}"""), ("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}"""),
        ];
        foreach ((string target, string patch, string result) in examples)
        {
            Assert.Equal(result, MergePatch.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)!.AsObject()).ToJsonString());
        }
    }
}
