using System.Text.Json;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Parsing;

/// <summary>The strings that a JSONPath finds in a JSON body, which is read piece by piece and never held whole.</summary>
internal static class JsonFormat
{
    /// <summary>Levels of nesting that are read.</summary>
    public const int MaxDepth = 64;

    public static async Task<ParseResult> ParseAsync(Stream body, ParseSettings settings, FeedFormat.Json json, CancellationToken ct)
    {
        var to = new EntryCollector(settings);
        if (!JsonPath.TryParse(json.Path, out JsonPath? path, out string? error))
        {
            return to.Finish($"The path is no JSONPath: {error}", ct);
        }
        var reader = new JsonBodyReader(body);
        var walker = new JsonPathWalker(path);
        var values = new JsonValues(path, settings);
        bool first = true;
        try
        {
            while (await reader.FillAsync(ct))
            {
                if (first && (BodyTraits.OtherEncoding(reader.Head.Span) ?? BodyTraits.WebPage(reader.Head.Span)) is { } other)
                {
                    return to.Finish(other, ct);
                }
                first = false;
                reader.Read(walker, values, ct);
                if (values.Unusable is { } reason)
                {
                    return to.Finish(reason, ct);
                }
            }
        }
        catch (JsonException) when (reader.Blank)
        {
            return to.Finish("The body is empty.", ct);
        }
        catch (JsonException e)
        {
            bool text = reader.Head.Span.TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[' or (byte)'"', ..];
            string hint = text ? " It looks like lines of text; the stanza that reads those is: format: {newlineDelimited: {}}" : "";
            return to.Finish($"The body is not readable JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}): cut short, broken or nested deeper than {MaxDepth}.{hint}", ct);
        }
        if (reader.TooLong)
        {
            return to.Finish(walker.CountsFromEnd
                ? $"The path {path} counts from the end of an array, which is held whole for that, or one value is very long: more than {JsonBodyReader.MaxHeld >> 20} MiB would have to be held."
                : $"One value of the body is longer than {JsonBodyReader.MaxHeld >> 20} MiB.", ct);
        }
        string? unusable = values.Finish(out EntryCollector list);
        if (reader.HadMark)
        {
            list.Count(Cleaning.ByteOrderMark);
        }
        if (unusable is not null && JsonSuggestion.Of(reader.Head.Span, settings) is { } suggestion)
        {
            list.Problems.Add(suggestion);
        }
        if (unusable is null && BodyTraits.OtherContent(list) is { } content)
        {
            list.Problems.Add(content);
        }
        return list.Finish(unusable, ct);
    }
}
