using System.Text.Json;
using ThreatFeeds.Parsing;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

public sealed class JsonPathTests
{
    [SharedDataFact]
    public void The_compliance_suite_passes_but_for_filters_and_functions()
    {
        int run = 0;
        var wrong = new List<string>();
        foreach (JsonElement test in JsonDocument.Parse(SharedData.Read("vectors/jsonpath/cts.json.gz")).RootElement.GetProperty("tests").EnumerateArray())
        {
            string selector = test.GetProperty("selector").GetString()!;
            if (selector.Contains('?', StringComparison.Ordinal))
            {
                continue;
            }
            run++;
            bool ok = JsonPath.TryParse(selector, out JsonPath? path, out string? error);
            if (test.TryGetProperty("invalid_selector", out _))
            {
                if (ok)
                {
                    wrong.Add($"accepted: {selector}");
                }
                continue;
            }
            if (!ok)
            {
                wrong.Add($"refused: {selector}: {error}");
                continue;
            }
            // The RFC's values, each as often as there, in the document's order.
            string got = Sorted(JsonWalk.Find(path!, test.GetProperty("document").GetRawText()));
            string[] expected = test.TryGetProperty("result", out JsonElement result)
                ? [Sorted(result.EnumerateArray())]
                : [.. test.GetProperty("results").EnumerateArray().Select(r => Sorted(r.EnumerateArray()))];
            if (!expected.Contains(got))
            {
                wrong.Add($"{selector}: {got} not {expected[0]}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(run > 200, $"{run}");
    }

    [SharedDataFact]
    public void The_documented_dialect_is_accepted_and_gives_its_values()
    {
        // Not as the dialect has it: $. is the root, both quotes, spaces inside brackets (RFC 9535); a space after a dot is refused (RFC 9535).
        HashSet<string> acceptedHere = ["$.", "$['a']", "$.a[ * ]"], refusedHere = ["$. a", "$[C:B]"];
        // By RFC 9535 an index that one array lacks drops nothing else; the dialect drops that whole array.
        HashSet<string> ofTheRfc = ["$..A[0,1]"];
        JsonElement root = JsonDocument.Parse(SharedData.Read("vectors/jsonpath/documented-dialect.json")).RootElement;
        var accepted = new HashSet<string>(root.GetProperty("cases").EnumerateArray()
            .Where(c => !c.TryGetProperty("error", out JsonElement e) || IsOfDocument(e.GetString()!)).Select(c => c.GetProperty("path").GetString()!));
        int compared = 0;
        var wrong = new List<string>();
        foreach (JsonElement c in root.GetProperty("cases").EnumerateArray())
        {
            string text = c.GetProperty("path").GetString()!;
            bool ok = JsonPath.TryParse(text, out JsonPath? path, out string? error);
            bool expected = (accepted.Contains(text) && !refusedHere.Contains(text)) || acceptedHere.Contains(text);
            if (ok != expected)
            {
                wrong.Add($"{text}: {(ok ? "accepted" : error)}");
            }
            if (!ok || ofTheRfc.Contains(text) || !c.TryGetProperty("result", out JsonElement result))
            {
                continue;
            }
            compared++;
            List<string> found = JsonWalk.Find(path!, root.GetProperty("documents").GetProperty(c.GetProperty("document").GetString()!).GetRawText());
            // The dialect gives a singular path's value itself and lists in the order of sorted keys.
            string got = path!.IsSingular ? (found.Count == 1 ? found[0] : "nothing") : Sorted(found);
            string want = path.IsSingular ? JsonSerializer.Serialize(result) : result.ValueKind == JsonValueKind.Null ? "" : Sorted(result.EnumerateArray());
            if (got != want)
            {
                wrong.Add($"{text} on {c.GetProperty("document")}: {got} not {want}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(compared > 100, $"{compared}");
    }

    [Theory]
    [InlineData("$[-1]", "[1,2,3]", "3")]
    [InlineData("$[::-2]", "[1,2,3,4]", "2|4")]
    [InlineData("$[-3:-1]", "[1,2,3,4]", "2|3")]
    [InlineData("$[5:0:-2]", "[0,1,2,3]", "1|3")]
    [InlineData("$[1:9:2]", "[0,1,2,3,4]", "1|3")]
    [InlineData("$[0,0,-1]", "[1,2]", "1|1|2")]
    [InlineData("$..a", """{"a":{"a":1},"b":[{"a":2}]}""", """1|2|{"a":1}""")]
    [InlineData("$..[-1]", "[[1,2],[3,[4]]]", "2|4|[3,[4]]|[4]")]
    [InlineData("$..*..*", "[[[1]]]", "1|1|[1]")]
    [InlineData("$['a','b',*]", """{"a":1,"b":2,"c":3}""", "1|1|2|2|3")]
    [InlineData("$.l[*].v", """{"l":[{"v":"x"},7,{"w":1},{"\u0076":"y"}],"v":0}""", "'x'|'y'")]
    [InlineData("$[0]", """{"0":1}""", "")]
    public void Values_are_found_while_the_document_goes_by(string text, string document, string expected)
    {
        Assert.True(JsonPath.TryParse(text, out JsonPath? path, out string? error), error);
        Assert.Equal(expected.Replace('\'', '"'), Sorted(JsonWalk.Find(path, document)));
    }

    [Theory]
    [InlineData("deny", "a path starts with $ (character 1 of deny)")]
    [InlineData("$.deny[?(@.x)]", "filters and expressions are not supported (character 8 of $.deny[?(@.x)])")]
    [InlineData("$.deny[", "the closing ] is missing (character 8 of $.deny[)")]
    [InlineData("$..", "a name or * is missing at the end (character 4 of $..)")]
    public void A_wrong_path_is_explained_with_its_place(string text, string expected)
    {
        Assert.False(JsonPath.TryParse(text, out _, out string? error));
        Assert.Equal(expected, error);
    }

    // Errors of evaluation, not of the path: it names a key or index the document does not have.
    private static bool IsOfDocument(string error) =>
        error.Contains("not found", StringComparison.Ordinal) || error.StartsWith("no key", StringComparison.Ordinal)
        || error.StartsWith("expected JSON object", StringComparison.Ordinal) || error.StartsWith("expected JSON array", StringComparison.Ordinal)
        || error.StartsWith("out of bound", StringComparison.Ordinal);

    private static string Sorted(IEnumerable<JsonElement> elements) => Sorted(elements.Select(e => JsonSerializer.Serialize(e)));

    private static string Sorted(IEnumerable<string> values) => string.Join('|', values.Order(StringComparer.Ordinal));
}
