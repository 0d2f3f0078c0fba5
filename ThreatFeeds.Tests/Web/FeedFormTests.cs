using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;
using ThreatFeeds.Web.Feeds;
using ThreatFeeds.Web.Shared;
using Xunit;

namespace ThreatFeeds.Tests.Web;

public sealed class FeedFormTests
{
    private const string Full = """
        {
          "apiVersion": "projectcalico.org/v3", "kind": "GlobalThreatFeed",
          "metadata": { "name": "urlhaus", "labels": { "kind": "malware" }, "annotations": { "threatfeeds.io/match-subdomains": "true", "other": "kept" } },
          "spec": {
            "content": "DomainNameSet", "mode": "Disabled", "description": "hosts",
            "pull": { "period": "1h", "http": {
              "url": "https://feeds.example/hosts.csv",
              "format": { "csv": { "fieldName": "host", "header": true, "recordSize": 4, "columnDelimiter": ";" } },
              "headers": [ { "name": "Key", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }, { "name": "Accept", "value": "text/csv" } ] } }
          }
        }
        """;

    [Fact]
    public void What_the_form_does_not_change_comes_back_as_it_was()
    {
        JsonObject manifest = JsonNode.Parse(Full)!.AsObject();

        JsonObject again = FeedForm.From(manifest).ToManifest();

        Assert.True(JsonNode.DeepEquals(manifest, again), again.ToJsonString());
    }

    [Fact]
    public void A_column_that_is_a_number_is_a_fieldNum_and_drops_the_name()
    {
        FeedForm form = FeedForm.From(JsonNode.Parse(Full)!.AsObject());
        form.Column = "2";

        JsonNode csv = form.ToManifest()["spec"]!["pull"]!["http"]!["format"]!["csv"]!;

        Assert.Equal(2, csv["fieldNum"]!.GetValue<int>());
        Assert.Null(csv["fieldName"]);
        Assert.Equal(4, csv["recordSize"]!.GetValue<int>());
    }

    [Fact]
    public void A_pushed_feed_has_no_pull_and_an_address_feed_no_subdomains()
    {
        FeedForm form = FeedForm.From(JsonNode.Parse(Full)!.AsObject());
        form.Pulled = false;
        form.Content = "IPSet";

        JsonObject manifest = form.ToManifest();

        Assert.Null(manifest["spec"]!["pull"]);
        Assert.Null(manifest["metadata"]!["annotations"]![FeedAnnotations.MatchSubdomains]);
        Assert.Equal("kept", (string?)manifest["metadata"]!["annotations"]!["other"]);
    }

    [Fact]
    public void Problems_go_to_the_field_that_claims_their_path_and_the_rest_above_the_form()
    {
        var problems = new FeedProblems(
        [
            new("spec.pull.http.headers[0].name", "FieldValueInvalid", "a"),
            new("spec.pull.http.urls", "FieldValueInvalid", "b"),
            new("spec.mode", "FieldValueNotSupported", "c"),
        ]);

        Assert.Equal("a", Assert.Single(problems.At("spec.pull.http.headers[0]")).Message);
        Assert.Empty(problems.At("spec.pull.http.url"));
        Assert.Equal(["b", "c"], problems.Unclaimed.Select(p => p.Message));
    }
}
