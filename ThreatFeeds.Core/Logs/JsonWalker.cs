using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace ThreatFeeds.Logs;

/// <summary>
/// Walks over the tokens of one JSON text as <see cref="Utf8JsonReader"/> does and is as strict (RFC 8259, nothing behind the value, depth at most 64), but
/// throws for nothing: an exception costs more than reading a thousand good lines, and whoever sends lines decides how many of them are bad.
/// A copy goes on from where it was taken. The text must be valid UTF-8; the walker looks at its ASCII only.
/// </summary>
internal ref struct JsonWalker(ReadOnlySpan<byte> json)
{
    /// <summary>Objects and arrays within each other.</summary>
    public const int MaxDepth = 64;

    // What ends the plain part of a string: its end, an escape, and what must not stand in one unescaped.
    private static readonly SearchValues<byte> s_notPlain = SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(b => (byte)b)]);

    private readonly ReadOnlySpan<byte> _json = json;
    private int _at;
    private int _depth;
    // Bit n: what was opened at depth n + 1 is an object.
    private ulong _objects;

    public JsonTokenType TokenType { get; private set; }

    /// <summary>Of a key or string what stands between its quotes, of a number its digits; of all else nothing that means anything.</summary>
    public ReadOnlySpan<byte> ValueSpan { get; private set; }

    public bool ValueIsEscaped { get; private set; }

    /// <summary>The text is no JSON; there is nothing more to read.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes read. After a failure these are sound, and the next one is where it is not.</summary>
    public readonly int Consumed => _at;

    /// <summary>Goes to the next token. False at the end of the text, and when it is no JSON (<see cref="Failed"/>).</summary>
    public bool Read()
    {
        if (Failed)
        {
            return false;
        }
        bool more = SkipSpace();
        switch (TokenType)
        {
            case JsonTokenType.None:
            case JsonTokenType.PropertyName:
                return more ? ReadValue() : Fail();
            case JsonTokenType.StartObject:
                return !more ? Fail() : _json[_at] == '}' ? End(JsonTokenType.EndObject) : ReadKey();
            case JsonTokenType.StartArray:
                return !more ? Fail() : _json[_at] == ']' ? End(JsonTokenType.EndArray) : ReadValue();
            default:
                return _depth == 0 ? more && Fail() : more ? ReadOn() : Fail();
        }
    }

    /// <summary>Passes over the value of a key, or over the object or array that begins here.</summary>
    public void Skip()
    {
        if (TokenType == JsonTokenType.PropertyName)
        {
            Read();
        }
        if (TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            int depth = _depth;
            while (Read() && _depth >= depth)
            {
            }
        }
    }

    /// <summary>Whether the key or string is this text, however it is escaped.</summary>
    public readonly bool ValueTextEquals(ReadOnlySpan<byte> text)
    {
        if (!ValueIsEscaped)
        {
            return ValueSpan.SequenceEqual(text);
        }
        const int longest = 64;
        // A byte takes at most six, as \u0041.
        if (text.Length > longest || ValueSpan.Length > text.Length * 6)
        {
            return false;
        }
        Span<byte> unescaped = stackalloc byte[longest * 6];
        return JsonText.TryUnescape(ValueSpan, unescaped, out int length) && unescaped[..length].SequenceEqual(text);
    }

    /// <summary>Reads to the end and tells whether nothing but white space stands behind the value.</summary>
    public bool ReadToEnd()
    {
        while (Read())
        {
        }
        return !Failed;
    }

    private bool ReadOn()
    {
        byte next = _json[_at];
        bool inObject = (_objects >> (_depth - 1) & 1) != 0;
        if (next == (inObject ? (byte)'}' : (byte)']'))
        {
            return End(inObject ? JsonTokenType.EndObject : JsonTokenType.EndArray);
        }
        if (next != ',')
        {
            return Fail();
        }
        _at++;
        return SkipSpace() ? inObject ? ReadKey() : ReadValue() : Fail();
    }

    private bool ReadKey()
    {
        if (_json[_at] != '"' || !ReadString() || !SkipSpace() || _json[_at] != ':')
        {
            return Fail();
        }
        _at++;
        return Found(JsonTokenType.PropertyName);
    }

    private bool ReadValue()
    {
        switch (_json[_at])
        {
            case (byte)'"':
                return ReadString() ? Found(JsonTokenType.String) : Fail();
            case (byte)'{':
                return Begin(JsonTokenType.StartObject);
            case (byte)'[':
                return Begin(JsonTokenType.StartArray);
            case (byte)'t':
                return ReadWord("true"u8, JsonTokenType.True);
            case (byte)'f':
                return ReadWord("false"u8, JsonTokenType.False);
            case (byte)'n':
                return ReadWord("null"u8, JsonTokenType.Null);
            default:
                return ReadNumber();
        }
    }

    private bool Begin(JsonTokenType type)
    {
        if (_depth == MaxDepth)
        {
            return Fail();
        }
        ulong bit = 1UL << _depth++;
        _objects = type == JsonTokenType.StartObject ? _objects | bit : _objects & ~bit;
        _at++;
        return Found(type);
    }

    private bool End(JsonTokenType type)
    {
        _depth--;
        _at++;
        return Found(type);
    }

    private bool ReadWord(ReadOnlySpan<byte> word, JsonTokenType type)
    {
        if (!_json[_at..].StartsWith(word))
        {
            return Fail();
        }
        _at += word.Length;
        return Found(type);
    }

    private bool ReadString()
    {
        int start = _at + 1;
        int at = start;
        ValueIsEscaped = false;
        while (true)
        {
            int plain = _json[at..].IndexOfAny(s_notPlain);
            if (plain < 0)
            {
                _at = _json.Length;
                return false;
            }
            at += plain;
            if (_json[at] == '"')
            {
                ValueSpan = _json[start..at];
                _at = at + 1;
                return true;
            }
            int escape = _json[at] == '\\' ? EscapeLength(_json[at..]) : 0;
            if (escape == 0)
            {
                _at = at;
                return false;
            }
            ValueIsEscaped = true;
            at += escape;
        }
    }

    private static int EscapeLength(ReadOnlySpan<byte> at)
    {
        if (at.Length < 2)
        {
            return 0;
        }
        if (at[1] != 'u')
        {
            return "\"\\/bfnrt"u8.Contains(at[1]) ? 2 : 0;
        }
        return at.Length >= 6 && char.IsAsciiHexDigit((char)at[2]) && char.IsAsciiHexDigit((char)at[3])
            && char.IsAsciiHexDigit((char)at[4]) && char.IsAsciiHexDigit((char)at[5]) ? 6 : 0;
    }

    private bool ReadNumber()
    {
        int start = _at;
        if (_json[_at] == '-')
        {
            _at++;
        }
        int whole = ReadDigits();
        if (whole == 0 || (whole > 1 && _json[_at - whole] == '0'))
        {
            return Fail();
        }
        if (_at < _json.Length && _json[_at] == '.')
        {
            _at++;
            if (ReadDigits() == 0)
            {
                return Fail();
            }
        }
        if (_at < _json.Length && _json[_at] is (byte)'e' or (byte)'E')
        {
            _at++;
            if (_at < _json.Length && _json[_at] is (byte)'+' or (byte)'-')
            {
                _at++;
            }
            if (ReadDigits() == 0)
            {
                return Fail();
            }
        }
        ValueSpan = _json[start.._at];
        return Found(JsonTokenType.Number);
    }

    private int ReadDigits()
    {
        int first = _at;
        while (_at < _json.Length && char.IsAsciiDigit((char)_json[_at]))
        {
            _at++;
        }
        return _at - first;
    }

    /// <summary>False at the end of the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool SkipSpace()
    {
        while (_at < _json.Length)
        {
            if (_json[_at] is not ((byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r'))
            {
                return true;
            }
            _at++;
        }
        return false;
    }

    private bool Found(JsonTokenType type)
    {
        TokenType = type;
        return true;
    }

    private bool Fail()
    {
        Failed = true;
        TokenType = JsonTokenType.None;
        return false;
    }
}
