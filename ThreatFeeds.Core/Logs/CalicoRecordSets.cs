using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ThreatFeeds.Logs;

/// <summary>Names and data of <c>rrsets</c>. Each method gets its own copy of a reader that stands at the start of the array.</summary>
internal static class CalicoRecordSets
{
    private static readonly SearchValues<byte> s_nameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."u8);

    private static readonly SearchValues<byte> s_letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    public static void GiveNames(Utf8JsonReader sets, IValueSink sink)
    {
        using var text = new JsonText();
        while (sets.Read() && sets.TokenType != JsonTokenType.EndArray)
        {
            if (sets.TokenType == JsonTokenType.StartObject)
            {
                while (sets.Read() && sets.TokenType == JsonTokenType.PropertyName)
                {
                    bool name = sets.ValueTextEquals("name"u8);
                    sets.Read();
                    if (name && text.TryRead(ref sets))
                    {
                        sink.Name("rr_name", text.Bytes);
                    }
                    sets.Skip();
                }
            }
            else
            {
                sets.Skip();
            }
        }
    }

    public static void GiveData(Utf8JsonReader sets, IValueSink sink)
    {
        while (sets.Read() && sets.TokenType != JsonTokenType.EndArray)
        {
            if (sets.TokenType == JsonTokenType.StartObject)
            {
                GiveDataOfOne(ref sets, sink);
            }
            else
            {
                sets.Skip();
            }
        }
    }

    private static void GiveDataOfOne(ref Utf8JsonReader set, IValueSink sink)
    {
        // The type decides how the data are read and may come after them.
        Utf8JsonReader data = default;
        bool hasData = false;
        bool holdsNames = false;
        while (set.Read() && set.TokenType == JsonTokenType.PropertyName)
        {
            if (set.ValueTextEquals("rdata"u8))
            {
                set.Read();
                data = set;
                hasData = true;
            }
            else if (set.ValueTextEquals("type"u8))
            {
                set.Read();
                holdsNames = HoldsNames(ref set);
            }
            else
            {
                set.Read();
            }
            set.Skip();
        }
        if (!hasData)
        {
            return;
        }
        using var text = new JsonText();
        if (data.TokenType != JsonTokenType.StartArray)
        {
            if (text.TryRead(ref data))
            {
                Give(text.Bytes, holdsNames, sink);
            }
            return;
        }
        while (data.Read() && data.TokenType != JsonTokenType.EndArray)
        {
            if (text.TryRead(ref data))
            {
                Give(text.Bytes, holdsNames, sink);
            }
            data.Skip();
        }
    }

    private static bool HoldsNames(ref Utf8JsonReader type)
    {
        if (type.TokenType != JsonTokenType.String)
        {
            return false;
        }
        ReadOnlySpan<byte> name = type.ValueSpan;
        return Ascii.EqualsIgnoreCase(name, "CNAME"u8) || Ascii.EqualsIgnoreCase(name, "MX"u8) || Ascii.EqualsIgnoreCase(name, "SRV"u8)
            || Ascii.EqualsIgnoreCase(name, "SOA"u8) || Ascii.EqualsIgnoreCase(name, "PTR"u8) || Ascii.EqualsIgnoreCase(name, "NS"u8);
    }

    private static void Give(ReadOnlySpan<byte> data, bool holdsNames, IValueSink sink)
    {
        sink.Name("rdata", data);
        if (!holdsNames || data.IndexOfAny(" \t"u8) < 0)
        {
            return;
        }
        while (!data.IsEmpty)
        {
            int end = data.IndexOfAny(" \t"u8);
            ReadOnlySpan<byte> word = end < 0 ? data : data[..end];
            data = end < 0 ? default : data[(end + 1)..];
            if (LooksLikeName(word))
            {
                sink.Name("rdata", word);
            }
        }
    }

    /// <summary>Has a letter and, since an indicator has two labels at least, a dot; Unicode names count as letters.</summary>
    private static bool LooksLikeName(ReadOnlySpan<byte> word)
    {
        if (!word.Contains((byte)'.'))
        {
            return false;
        }
        bool unicode = word.IndexOfAnyInRange((byte)0x80, (byte)0xFF) >= 0;
        return unicode || (word.ContainsAny(s_letters) && !word.ContainsAnyExcept(s_nameBytes));
    }
}
