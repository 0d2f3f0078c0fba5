using System.Globalization;
using System.Text;

namespace ThreatFeeds.Parsing;

/// <summary>Reads the text of a <see cref="JsonPath"/>.</summary>
internal sealed class JsonPathParser(string text)
{
    // The integers that JSON numbers hold exactly, as the RFC demands.
    private const long MaxInteger = 9007199254740991;
    private const int MaxSegments = 100;

    private int _at;

    /// <summary>What is wrong, with its place.</summary>
    public string? Error { get; private set; }

    /// <summary>Null when there is an <see cref="Error"/>.</summary>
    public JsonPath? Parse()
    {
        if (text.Length == 0 || text[0] != '$')
        {
            Fail("a path starts with $");
            return null;
        }
        _at = 1;
        var segments = new List<JsonPathSegment>();
        if (text == "$.")
        {
            return new JsonPath(text, segments); // The original's documentation writes the root so.
        }
        while (_at < text.Length)
        {
            int before = _at;
            SkipSpace();
            if (_at == text.Length)
            {
                _at = before;
                Fail("space after the path");
                return null;
            }
            if (segments.Count == MaxSegments)
            {
                Fail($"more than {MaxSegments} steps");
                return null;
            }
            if (ReadSegment() is not { } segment)
            {
                return null;
            }
            segments.Add(segment);
        }
        return new JsonPath(text, segments);
    }

    private JsonPathSegment? ReadSegment()
    {
        bool descendants = text.AsSpan(_at).StartsWith("..");
        if (descendants || text[_at] == '.')
        {
            _at += descendants ? 2 : 1;
            if (descendants && Peek() == '[')
            {
                return ReadBrackets(true);
            }
            if (Peek() == '*')
            {
                _at++;
                return new JsonPathSegment(descendants, [new JsonPathSelector.Wildcard()]);
            }
            return ReadName() is { } name
                ? new JsonPathSegment(descendants, [new JsonPathSelector.Name(name)])
                : Fail<JsonPathSegment>(_at == text.Length ? "a name or * is missing at the end" : "a name or * must follow the dot");
        }
        return text[_at] == '[' ? ReadBrackets(false) : Fail<JsonPathSegment>($"unexpected {Show()}; a step begins with . or [");
    }

    private JsonPathSegment? ReadBrackets(bool descendants)
    {
        var selectors = new List<JsonPathSelector>();
        do
        {
            _at++;
            SkipSpace();
            if (ReadSelector() is not { } selector)
            {
                return null;
            }
            selectors.Add(selector);
            SkipSpace();
        }
        while (Peek() == ',');
        if (Peek() != ']')
        {
            return Fail<JsonPathSegment>(_at == text.Length ? "the closing ] is missing" : $"unexpected {Show()}; expected , or ]");
        }
        _at++;
        return new JsonPathSegment(descendants, selectors);
    }

    private JsonPathSelector? ReadSelector()
    {
        char c = Peek();
        switch (c)
        {
            case '"' or '\'':
                return ReadString(c) is { } key ? new JsonPathSelector.Name(key) : null;
            case '*':
                _at++;
                return new JsonPathSelector.Wildcard();
            case '?' or '(' or '@':
                return Fail<JsonPathSelector>("filters and expressions are not supported");
            case ':' or '-' or (>= '0' and <= '9'):
                return ReadIndexOrSlice();
            default:
                return ReadName() is { } name
                    ? new JsonPathSelector.Name(name)
                    : Fail<JsonPathSelector>(_at == text.Length ? "the closing ] is missing" : $"unexpected {Show()}; expected a quoted name, a number, a slice or *");
        }
    }

    private JsonPathSelector? ReadIndexOrSlice()
    {
        if (!ReadInteger(out long? first))
        {
            return null;
        }
        int after = _at;
        SkipSpace();
        if (Peek() != ':')
        {
            _at = after;
            return first is { } index ? new JsonPathSelector.Index(index) : Fail<JsonPathSelector>("a number is missing");
        }
        _at++;
        SkipSpace();
        if (!ReadInteger(out long? end))
        {
            return null;
        }
        SkipSpace();
        long? step = null;
        if (Peek() == ':')
        {
            _at++;
            SkipSpace();
            if (!ReadInteger(out step))
            {
                return null;
            }
        }
        return new JsonPathSelector.Slice(first, end, step ?? 1);
    }

    // No number at all is fine (slices); a malformed one is not.
    private bool ReadInteger(out long? value)
    {
        value = null;
        int start = _at;
        if (Peek() == '-')
        {
            _at++;
        }
        int digits = _at;
        while (char.IsAsciiDigit(Peek()))
        {
            _at++;
        }
        if (_at == start)
        {
            return true;
        }
        ReadOnlySpan<char> number = text.AsSpan(start, _at - start);
        bool malformed = _at == digits || (text[digits] == '0' && number.Length > 1);
        if (malformed || !long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long read) || Math.Abs(read) > MaxInteger)
        {
            _at = start;
            Fail(malformed ? "not a whole number as JSONPath writes them" : "a number too big");
            return false;
        }
        value = read;
        return true;
    }

    private string? ReadName()
    {
        int start = _at;
        while (_at < text.Length && Rune.TryGetRuneAt(text, _at, out Rune rune)
            && (rune.Value >= 0x80 || rune.Value == '_' || char.IsAsciiLetter((char)rune.Value) || (_at > start && char.IsAsciiDigit((char)rune.Value))))
        {
            _at += rune.Utf16SequenceLength;
        }
        return _at > start ? text[start.._at] : null;
    }

    private string? ReadString(char quote)
    {
        int start = _at++;
        var to = new StringBuilder();
        while (_at < text.Length)
        {
            char c = text[_at];
            if (c == quote)
            {
                _at++;
                return to.ToString();
            }
            if (c < ' ')
            {
                return Fail<string>("a control character inside a quoted name must be escaped");
            }
            if (c == '\\')
            {
                if (!ReadEscape(quote, to))
                {
                    return null;
                }
                continue;
            }
            if (!Rune.TryGetRuneAt(text, _at, out Rune rune))
            {
                return Fail<string>("half a character");
            }
            to.Append(text, _at, rune.Utf16SequenceLength);
            _at += rune.Utf16SequenceLength;
        }
        _at = start;
        return Fail<string>("the closing quote is missing");
    }

    private bool ReadEscape(char quote, StringBuilder to)
    {
        char c = _at + 1 < text.Length ? text[_at + 1] : '\0';
        int plain = "bfnrt/\\".IndexOf(c, StringComparison.Ordinal);
        if (plain >= 0 || c == quote)
        {
            to.Append(c == quote ? quote : "\b\f\n\r\t/\\"[plain]);
            _at += 2;
            return true;
        }
        if (c == 'u' && ReadHex(_at + 2) is { } high)
        {
            if (!char.IsSurrogate(high))
            {
                to.Append(high);
                _at += 6;
                return true;
            }
            if (char.IsHighSurrogate(high) && text.AsSpan(_at + 6).StartsWith("\\u") && ReadHex(_at + 8) is { } low && char.IsLowSurrogate(low))
            {
                to.Append(high).Append(low);
                _at += 12;
                return true;
            }
        }
        Fail("an escape that JSON does not have");
        return false;
    }

    private char? ReadHex(int at) =>
        at + 4 <= text.Length && char.IsAsciiHexDigit(text[at]) && char.IsAsciiHexDigit(text[at + 1])
            && char.IsAsciiHexDigit(text[at + 2]) && char.IsAsciiHexDigit(text[at + 3])
            ? (char)int.Parse(text.AsSpan(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : null;

    private char Peek() => _at < text.Length ? text[_at] : '\0';

    private string Show() => $"'{text[_at]}'";

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\r' or '\n')
        {
            _at++;
        }
    }

    private void Fail(string what) => Error ??= $"{what} (character {_at + 1} of {text})";

    private T? Fail<T>(string what)
        where T : class
    {
        Fail(what);
        return null;
    }
}
