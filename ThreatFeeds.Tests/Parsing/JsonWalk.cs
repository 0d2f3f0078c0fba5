using System.Text;
using System.Text.Json;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Tests.Parsing;

/// <summary>The values a path finds in a small document, as their text.</summary>
internal static class JsonWalk
{
    public static List<string> Find(JsonPath path, string document)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(document);
        var walker = new JsonPathWalker(path);
        var found = new List<string>();
        var reader = new Utf8JsonReader(bytes);
        while (reader.Read())
        {
            Utf8JsonReader value = reader;
            long length = walker.NeedsLength(ref reader) ? JsonDocument.ParseValue(ref value).RootElement.GetArrayLength() : 0;
            long times = walker.Take(ref reader, length);
            for (; times > 0; times--)
            {
                value = reader;
                found.Add(JsonSerializer.Serialize(JsonDocument.ParseValue(ref value).RootElement));
            }
        }
        return found;
    }
}
