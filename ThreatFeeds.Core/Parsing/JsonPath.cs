using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ThreatFeeds.Parsing;

/// <summary>
/// A JSONPath: RFC 9535 without filters and functions, both kinds of quotes, <c>$.</c> for the root, and unquoted names in brackets, as the
/// original's documented dialect has them. <see cref="JsonPathWalker"/> finds its values while a document goes by.
/// </summary>
public sealed class JsonPath
{
    /// <summary>Most values a path may find: a path of many <c>..</c> would multiply them without bound.</summary>
    public const int MaxNodes = 20_000_000;

    private readonly string _text;

    internal JsonPath(string text, IReadOnlyList<JsonPathSegment> segments)
    {
        _text = text;
        Segments = [.. segments];
        IsSingular = segments.All(s => !s.Descendants && s.Selectors is [JsonPathSelector.Name or JsonPathSelector.Index]);
    }

    /// <summary>The path can find at most one value.</summary>
    public bool IsSingular { get; }

    internal JsonPathSegment[] Segments { get; }

    /// <summary>Reads a path; the error says what is wrong and at which character, counted from 1.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out JsonPath? path, [NotNullWhen(false)] out string? error)
    {
        var parser = new JsonPathParser(text);
        path = parser.Parse();
        error = path is null ? parser.Error : null;
        return path is not null;
    }

    /// <summary>The path as it was written.</summary>
    public override string ToString() => _text;
}

/// <param name="Descendants">Applies to the node and everything below it (<c>..</c>).</param>
internal sealed record JsonPathSegment(bool Descendants, IReadOnlyList<JsonPathSelector> Selectors)
{
    /// <summary>The array's length must be known before its first element is judged.</summary>
    public bool NeedsLength { get; } = Selectors.Any(s => s.NeedsLength);
}

/// <summary>What one element between brackets chooses among the children of a node.</summary>
internal abstract record JsonPathSelector
{
    /// <summary>As <see cref="JsonPathSegment.NeedsLength"/>.</summary>
    public virtual bool NeedsLength => false;

    /// <summary>The member with this name (UTF-8) is chosen.</summary>
    public virtual bool ChoosesMember(ReadOnlySpan<byte> name) => false;

    /// <summary>The element at this place is chosen.</summary>
    /// <param name="length">The array's; only told when <see cref="NeedsLength"/> is true.</param>
    public virtual bool ChoosesElement(long at, long length) => false;

    public sealed record Name(string Key) : JsonPathSelector
    {
        private readonly byte[] _key = Encoding.UTF8.GetBytes(Key);

        public override bool ChoosesMember(ReadOnlySpan<byte> name) => name.SequenceEqual(_key);
    }

    public sealed record Wildcard : JsonPathSelector
    {
        public override bool ChoosesMember(ReadOnlySpan<byte> name) => true;

        public override bool ChoosesElement(long at, long length) => true;
    }

    public sealed record Index(long At) : JsonPathSelector
    {
        public override bool NeedsLength => At < 0;

        public override bool ChoosesElement(long at, long length) => at == (At < 0 ? length + At : At);
    }

    public sealed record Slice(long? Start, long? End, long Step) : JsonPathSelector
    {
        public override bool NeedsLength => Step < 0 || Start < 0 || End < 0;

        public override bool ChoosesElement(long at, long length)
        {
            if (Step > 0)
            {
                long first = Math.Max(0, FromStart(Start ?? 0));
                return at >= first && at < FromStart(End ?? long.MaxValue) && (at - first) % Step == 0;
            }
            long last = Math.Min(length - 1, FromStart(Start ?? length - 1));
            return Step < 0 && at <= last && at > (End is null ? -1 : FromStart(End.Value)) && (last - at) % -Step == 0;

            long FromStart(long value) => value < 0 ? length + value : value;
        }
    }
}
