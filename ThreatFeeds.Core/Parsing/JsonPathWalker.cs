using System.Text.Json;

namespace ThreatFeeds.Parsing;

/// <summary>
/// Finds a path's values while the tokens of a document go by, holding a few numbers for each open object and array and nothing of the
/// document. The values are the RFC's, each as often as the RFC lists it, in the order of the document.
/// </summary>
/// <remarks>
/// For each node and each step of the path it is known how often the node is in the list that the first so many steps give. A child is in the
/// next list as often as its parent is in this one (for <c>..</c>: as often as it and all above it are), times the selectors that choose it.
/// </remarks>
internal sealed class JsonPathWalker
{
    private readonly JsonPathSegment[] _segments;
    private readonly List<Level> _open = [];
    private readonly long[] _counts;
    private int _depth;
    private byte[] _name = new byte[256];
    private int _nameLength;

    public JsonPathWalker(JsonPath path)
    {
        _segments = path.Segments;
        CountsFromEnd = _segments.Any(s => s.NeedsLength);
        _counts = new long[_segments.Length + 1];
    }

    /// <summary>Some step may need an array's length, so that <see cref="NeedsLength"/> must be asked.</summary>
    public bool CountsFromEnd { get; }

    /// <summary>A chosen name that one object has twice: which of the two is meant cannot be said. Null while there is none.</summary>
    public string? Ambiguous { get; private set; }

    /// <summary>True when the array that begins here must be seen to its end before <see cref="Take"/>, since the path counts from there.</summary>
    public bool NeedsLength(ref Utf8JsonReader reader)
    {
        if (!CountsFromEnd || reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }
        Count(peek: true);
        for (int i = 0; i < _segments.Length; i++)
        {
            if (_segments[i].NeedsLength && Reaches(i, _depth) > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Takes the reader's token; how often the path finds the value that begins with it (0 for other tokens).</summary>
    /// <param name="length">Elements of the array that begins, when <see cref="NeedsLength"/> asked for it.</param>
    public long Take(ref Utf8JsonReader reader, long length)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                ReadName(ref reader);
                return 0;
            case JsonTokenType.EndArray or JsonTokenType.EndObject:
                _depth--;
                return 0;
        }
        Count(peek: false);
        if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
        {
            Open(reader.TokenType == JsonTokenType.StartArray, length);
        }
        return _counts[^1];
    }

    private void Open(bool array, long length)
    {
        if (_open.Count == _depth)
        {
            _open.Add(new Level(_segments.Length));
        }
        Level level = _open[_depth];
        level.IsArray = array;
        level.Length = length;
        level.Next = 0;
        level.Alive = false;
        level.Chosen.Clear();
        for (int i = 0; i < _segments.Length; i++)
        {
            level.Reaches[i] = Reaches(i, _depth);
            level.Alive |= level.Reaches[i] > 0;
        }
        _depth++;
    }

    /// <summary>How often step i is applied to the node counted last, whose parent is the deepest of so many open levels.</summary>
    private long Reaches(int i, int depth) =>
        _segments[i].Descendants && depth > 0 ? Sum(_counts[i], _open[depth - 1].Reaches[i]) : _counts[i];

    /// <summary>Fills the counts of the node that begins.</summary>
    private void Count(bool peek)
    {
        Array.Clear(_counts);
        if (_depth == 0)
        {
            _counts[0] = 1;
            return;
        }
        Level parent = _open[_depth - 1];
        long at = parent.Next;
        parent.Next += peek ? 0 : 1;
        if (!parent.Alive)
        {
            return;
        }
        for (int i = 0; i < _segments.Length; i++)
        {
            if (parent.Reaches[i] == 0)
            {
                continue;
            }
            IReadOnlyList<JsonPathSelector> selectors = _segments[i].Selectors;
            for (int s = 0; s < selectors.Count; s++)
            {
                if (parent.IsArray ? selectors[s].ChoosesElement(at, parent.Length) : selectors[s].ChoosesMember(_name.AsSpan(0, _nameLength)))
                {
                    _counts[i + 1] = Sum(_counts[i + 1], parent.Reaches[i]);
                    // Reading on would tell which is the last, but the values of the first are given out by then.
                    if (!peek && selectors[s] is JsonPathSelector.Name name && !parent.IsArray && !parent.Chosen.Add((i, s)))
                    {
                        Ambiguous ??= name.Key;
                    }
                }
            }
        }
    }

    private void ReadName(ref Utf8JsonReader reader)
    {
        if (!_open[_depth - 1].Alive)
        {
            return;
        }
        if (_name.Length < reader.ValueSpan.Length)
        {
            _name = new byte[reader.ValueSpan.Length];
        }
        try
        {
            _nameLength = reader.CopyString(_name);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair or broken UTF-8: no name that a path can hold.
            _name[0] = 0xFF;
            _nameLength = 1;
        }
    }

    // So many are refused long before; they must only not run over.
    private static long Sum(long a, long b) => Math.Min(long.MaxValue / 4, a + b);

    private sealed class Level(int segments)
    {
        /// <summary>How often each step is applied to this node.</summary>
        public long[] Reaches { get; } = new long[segments];

        /// <summary>Name selectors (step, place) that have chosen a member of this object.</summary>
        public HashSet<(int Segment, int Selector)> Chosen { get; } = [];

        public bool IsArray { get; set; }

        public long Length { get; set; }

        /// <summary>Place of the next element.</summary>
        public long Next { get; set; }

        /// <summary>Something below can still be found.</summary>
        public bool Alive { get; set; }
    }
}
