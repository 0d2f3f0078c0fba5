using System.Text;
using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>Names and data of <c>rrsets</c>. Each method gets its own copy of a reader that stands at the start of the array.</summary>
internal static class CalicoRecordSets
{
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
                        sink.Name(HitField.RecordName, text.Bytes);
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
        RecordType type = RecordType.OneWord;
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
                type = TypeOf(ref set);
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
                Give(text.Bytes, type, sink);
            }
            return;
        }
        while (data.Read() && data.TokenType != JsonTokenType.EndArray)
        {
            if (text.TryRead(ref data))
            {
                Give(text.Bytes, type, sink);
            }
            data.Skip();
        }
    }

    /// <summary>The types whose data hold names among other words; of CNAME, NS and PTR the whole data is the name.</summary>
    private enum RecordType
    {
        OneWord,
        Mx,
        Srv,
        Soa,
    }

    private static RecordType TypeOf(ref Utf8JsonReader type)
    {
        if (type.TokenType != JsonTokenType.String)
        {
            return RecordType.OneWord;
        }
        ReadOnlySpan<byte> name = type.ValueSpan;
        return Ascii.EqualsIgnoreCase(name, "MX"u8) ? RecordType.Mx
            : Ascii.EqualsIgnoreCase(name, "SRV"u8) ? RecordType.Srv
            : Ascii.EqualsIgnoreCase(name, "SOA"u8) ? RecordType.Soa
            : RecordType.OneWord;
    }

    /// <summary>The whole data, then the names in it when it is written as its type demands; what is not is text of another meaning.</summary>
    private static void Give(ReadOnlySpan<byte> data, RecordType type, IValueSink sink)
    {
        const int mostWords = 7;
        sink.Name(HitField.RecordData, data);
        if (type == RecordType.OneWord)
        {
            return;
        }
        Span<Range> words = stackalloc Range[mostWords];
        int count = 0;
        for (int at = 0; at < data.Length;)
        {
            int length = data[at..].IndexOfAny(" \t"u8);
            length = length < 0 ? data.Length - at : length;
            if (length > 0)
            {
                if (count == mostWords)
                {
                    return;
                }
                words[count++] = at..(at + length);
            }
            at += length + 1;
        }
        // Where the names stand; every other word is a number.
        (int all, int first, int last) = type switch
        {
            RecordType.Mx => (2, 1, 1),
            RecordType.Srv => (4, 3, 3),
            _ => (7, 0, 1),
        };
        if (count != all)
        {
            return;
        }
        for (int i = 0; i < count; i++)
        {
            if ((i < first || i > last) && data[words[i]].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return;
            }
        }
        for (int i = first; i <= last; i++)
        {
            sink.Name(HitField.RecordData, data[words[i]]);
        }
    }
}
