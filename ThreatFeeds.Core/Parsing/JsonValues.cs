using System.Text;
using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>
/// Takes the values a path finds as they come. One array as the only value stands for its elements; since that shows at the end only, its
/// elements are collected beside it until a second value comes.
/// </summary>
internal sealed class JsonValues(JsonPath path, ParseSettings settings)
{
    private readonly JsonList _nodes = new(settings);
    private readonly JsonKeys _rootKeys = new();
    private JsonList? _elements;
    private int _elementDepth = -1;
    private JsonTokenType _root;

    /// <summary>Set when reading on is of no use.</summary>
    public string? Unusable { get; private set; }

    /// <param name="times">How often the path finds the value that begins with this token.</param>
    /// <param name="ambiguous">A name that an object has twice, if the path asks for it.</param>
    public void Take(ref Utf8JsonReader reader, long times, string? ambiguous)
    {
        int depth = reader.CurrentDepth;
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _rootKeys.See(ref reader, depth);
                _nodes.Keys.See(ref reader, depth);
                _elements?.Keys.See(ref reader, depth);
                return;
            case JsonTokenType.EndArray or JsonTokenType.EndObject:
                _elementDepth = depth + 1 == _elementDepth ? -1 : _elementDepth;
                _rootKeys.End(depth);
                _nodes.Keys.End(depth);
                _elements?.Keys.End(depth);
                return;
        }
        if (depth == 0)
        {
            _root = reader.TokenType;
            _rootKeys.Begin(ref reader);
        }
        if (depth == _elementDepth)
        {
            _elements!.Add(ref reader, 1);
        }
        if (times > 0)
        {
            Found(ref reader, times, depth);
        }
        Unusable = _nodes.Count > JsonPath.MaxNodes ? $"The path {path} finds more than {JsonPath.MaxNodes} values: make it more specific."
            : ambiguous is not null ? $"One object of the body has the key \"{ambiguous}\" twice, and the path {path} asks for it: which of them is meant cannot be said."
            : _nodes.To.Overfull ?? _elements?.To.Overfull;
    }

    /// <summary>At the end of the body: why it cannot be used, or null, and where its list was collected.</summary>
    public string? Finish(out EntryCollector list)
    {
        string? unusable = Reason(_elements ?? _nodes);
        list = unusable is null ? (_elements ?? _nodes).To : new EntryCollector(settings);
        return unusable;
    }

    private void Found(ref Utf8JsonReader reader, long times, int depth)
    {
        if (_nodes.Count > 0)
        {
            (_elements, _elementDepth) = (null, -1);
        }
        else if (times == 1 && reader.TokenType == JsonTokenType.StartArray)
        {
            (_elements, _elementDepth) = (new JsonList(settings), depth + 1);
        }
        _nodes.Add(ref reader, Math.Min(times, JsonPath.MaxNodes + 1L - _nodes.Count));
    }

    private string? Reason(JsonList list)
    {
        if (_nodes.Count == 0)
        {
            string keys = _root == JsonTokenType.StartObject ? $" The document has the keys: {_rootKeys}."
                : _root == JsonTokenType.StartArray ? " The document is an array." : "";
            return $"The path {path} finds nothing.{keys}";
        }
        if (list.Count == 0)
        {
            return $"The list at {path} is empty.";
        }
        if (list == _nodes && path.IsSingular)
        {
            return $"The path {path} gives {JsonList.Kind(list.First)}, not a list of strings.";
        }
        if (list.AnyString)
        {
            return null;
        }
        string hint = list.First switch
        {
            JsonTokenType.StartArray => $" Add [*] to take the elements of each: {path}[*]",
            JsonTokenType.StartObject => $" Add the key that holds the indicator; the first has: {list.Keys}.",
            _ => "",
        };
        return $"The path {path} gives a list of {list.Count} values and none is a string (the first is {JsonList.Kind(list.First)}).{hint}";
    }
}

/// <summary>Values of one list, counted and collected.</summary>
internal sealed class JsonList(ParseSettings settings)
{
    private byte[] _text = new byte[512];

    public EntryCollector To { get; } = new(settings);

    public long Count { get; private set; }

    public bool AnyString { get; private set; }

    /// <summary>Kind of the first value.</summary>
    public JsonTokenType First { get; private set; }

    /// <summary>Keys of the first value, when that is an object.</summary>
    public JsonKeys Keys { get; } = new();

    public void Add(ref Utf8JsonReader reader, long times)
    {
        if (Count == 0)
        {
            First = reader.TokenType;
            Keys.Begin(ref reader);
        }
        AnyString |= reader.TokenType == JsonTokenType.String;
        for (; times > 0; times--)
        {
            Count++;
            if (reader.TokenType != JsonTokenType.String)
            {
                To.Refuse(Encoding.UTF8.GetBytes(Kind(reader.TokenType)), Count, "not a string");
            }
            else if (!reader.ValueIsEscaped)
            {
                To.Add(reader.ValueSpan, Count);
            }
            else
            {
                AddEscaped(ref reader);
            }
        }
    }

    public static string Kind(JsonTokenType kind) => kind switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "one string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };

    private void AddEscaped(ref Utf8JsonReader reader)
    {
        if (_text.Length < reader.ValueSpan.Length)
        {
            _text = new byte[reader.ValueSpan.Length];
        }
        int length;
        try
        {
            length = reader.CopyString(_text);
        }
        catch (InvalidOperationException)
        {
            To.Refuse([], Count, "invalid UTF-8"); // A lone surrogate written as an escape.
            return;
        }
        To.Add(_text.AsSpan(0, length), Count);
    }
}

/// <summary>The first keys of one object, for telling an operator what it has.</summary>
internal sealed class JsonKeys
{
    private const int MaxKeys = 20, MaxShown = 60;

    private readonly List<string> _keys = [];
    private int _depth = -1;

    /// <summary>The value that begins is the one whose keys are wanted.</summary>
    public void Begin(ref Utf8JsonReader reader) => _depth = reader.TokenType == JsonTokenType.StartObject ? reader.CurrentDepth + 1 : -1;

    public void See(ref Utf8JsonReader reader, int depth)
    {
        if (depth == _depth && _keys.Count < MaxKeys)
        {
            _keys.Add(VisibleText.Of(reader.ValueSpan, MaxShown));
        }
    }

    /// <summary>An object or array ended.</summary>
    public void End(int depth) => _depth = depth + 1 == _depth ? -1 : _depth;

    public override string ToString() => string.Join(", ", _keys);
}
