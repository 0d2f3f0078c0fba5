using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ThreatFeeds.Feeds;

/// <summary>
/// YAML to JSON nodes by the 1.2 core schema, one document. What a manifest has no use for and an attacker has, is refused:
/// anchors, aliases, tags, keys twice, nesting deeper than 32.
/// </summary>
internal sealed partial class YamlReader
{
    private const int MaxDepth = 32;
    private readonly Parser _parser;

    private YamlReader(string text) => _parser = new Parser(new StringReader(text));

    /// <returns>Null for an empty document.</returns>
    public static JsonNode? Read(string text)
    {
        try
        {
            return new YamlReader(text).ReadStream();
        }
        catch (YamlException e)
        {
            // The scanner's errors begin at the token it was in and end where the trouble is.
            Mark place = e.Message.StartsWith("While scanning", StringComparison.OrdinalIgnoreCase) ? e.End : e.Start;
            throw new ManifestException(Math.Max(1, place.Line), Math.Max(1, place.Column), e.Message, e);
        }
    }

    private JsonNode? ReadStream()
    {
        Next();
        if (Next() is StreamEnd)
        {
            return null;
        }
        JsonNode? node = ReadNode(Next(), 0);
        Next();
        ParsingEvent end = Next();
        return end is StreamEnd ? node : throw At(end, "there is more than one document; send one at a time");
    }

    private ParsingEvent Next() => _parser.MoveNext() && _parser.Current is { } current
        ? current
        : throw new ManifestException(1, 1, "the YAML ends too early");

    private JsonNode? ReadNode(ParsingEvent start, int depth)
    {
        if (start is AnchorAlias)
        {
            throw At(start, "aliases (*name) are not accepted; write the value out");
        }
        if (start is NodeEvent node)
        {
            if (!node.Anchor.IsEmpty)
            {
                throw At(start, "anchors (&name) are not accepted; write the value out where it is used");
            }
            if (!node.Tag.IsEmpty)
            {
                throw At(start, "tags (!name) are not accepted");
            }
        }
        if (depth >= MaxDepth && start is (MappingStart or SequenceStart))
        {
            throw At(start, $"nesting is deeper than {MaxDepth}");
        }
        return start switch
        {
            Scalar scalar => Value(scalar),
            SequenceStart => ReadSequence(depth),
            MappingStart => ReadMapping(depth),
            _ => throw At(start, "a value was expected"),
        };
    }

    private JsonArray ReadSequence(int depth)
    {
        var items = new JsonArray();
        for (ParsingEvent next = Next(); next is not SequenceEnd; next = Next())
        {
            items.Add(ReadNode(next, depth + 1));
        }
        return items;
    }

    private JsonObject ReadMapping(int depth)
    {
        var members = new JsonObject();
        for (ParsingEvent next = Next(); next is not MappingEnd; next = Next())
        {
            if (next is not Scalar key)
            {
                throw At(next, next is AnchorAlias ? "aliases (*name) are not accepted; write the value out" : "a key is a plain text");
            }
            _ = ReadNode(key, depth + 1);
            if (members.ContainsKey(key.Value))
            {
                throw At(key, $"the key \"{key.Value}\" is there twice");
            }
            members[key.Value] = ReadNode(Next(), depth + 1);
        }
        return members;
    }

    private static JsonValue? Value(Scalar scalar)
    {
        string text = scalar.Value;
        if (scalar.Style != ScalarStyle.Plain)
        {
            return JsonValue.Create(text);
        }
        if (text is "" or "~" or "null" or "Null" or "NULL")
        {
            return null;
        }
        if (text is "true" or "True" or "TRUE")
        {
            return JsonValue.Create(true);
        }
        if (text is "false" or "False" or "FALSE")
        {
            return JsonValue.Create(false);
        }
        if (Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
        {
            return JsonValue.Create(whole);
        }
        if (Based().IsMatch(text))
        {
            return TryBased(text, out long based) ? JsonValue.Create(based) : throw At(scalar, $"the number {text} is too big");
        }
        if (Float().IsMatch(text))
        {
            double number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsFinite(number) ? JsonValue.Create(number) : throw At(scalar, $"the number {text} is too big");
        }
        return NotFinite().IsMatch(text) ? throw At(scalar, $"{text} is no number that a manifest can hold; quote it if a text is meant") : JsonValue.Create(text);
    }

    private static bool TryBased(string text, out long value)
    {
        value = 0;
        int radix = text[1] == 'x' ? 16 : 8;
        foreach (char c in text.AsSpan(2))
        {
            if (value > (long.MaxValue - 15) / radix)
            {
                return false;
            }
            value = value * radix + Convert.ToInt32(c.ToString(), 16);
        }
        return true;
    }

    private static ManifestException At(ParsingEvent place, string message) => new(place.Start.Line, place.Start.Column, message);

    /// <summary>True when a plain scalar of this text would not come back as that text, here or with readers of YAML 1.1.</summary>
    internal static bool IsAmbiguous(string text) =>
        text is "" or "~" || Float().IsMatch(text) || Based().IsMatch(text) || NotFinite().IsMatch(text) || OlderWords().IsMatch(text);

    [GeneratedRegex(@"^[-+]?[0-9]+\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^(0o[0-7]+|0x[0-9a-fA-F]+)\z")]
    private static partial Regex Based();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Float();

    [GeneratedRegex(@"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z")]
    private static partial Regex NotFinite();

    [GeneratedRegex(@"^(null|true|false|yes|no|on|off|y|n|[-+0-9][-+0-9_.:,a-fxobT Z]*)\z", RegexOptions.IgnoreCase)]
    private static partial Regex OlderWords();
}
