using System.Text;
using System.Text.Json;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Logs;

/// <summary>Names and data of <c>rrsets</c>. Each method gets its own copy of a walker that stands at the value; one that stands nowhere, or at no array, gives nothing.</summary>
internal static class CalicoRecordSets
{
    /// <summary>Whether there is anything to search.</summary>
    public static bool Hold(JsonWalker sets)
    {
        var any = new Any();
        GiveNames(sets, any);
        if (!any.Given)
        {
            GiveData(sets, any);
        }
        return any.Given;
    }

    public static void GiveNames(JsonWalker sets, IValueSink sink)
    {
        if (sets.TokenType != JsonTokenType.StartArray)
        {
            return;
        }
        using var text = new JsonText();
        while (NextSet(ref sets))
        {
            JsonWalker name = default;
            while (sets.Read() && sets.TokenType == JsonTokenType.PropertyName)
            {
                bool here = sets.ValueTextEquals("name"u8);
                sets.Read();
                if (here)
                {
                    name = sets;
                }
                sets.Skip();
            }
            if (text.TryRead(name))
            {
                sink.Name(HitField.RecordName, text.Bytes);
            }
        }
    }

    public static void GiveData(JsonWalker sets, IValueSink sink)
    {
        if (sets.TokenType != JsonTokenType.StartArray)
        {
            return;
        }
        while (NextSet(ref sets))
        {
            GiveDataOfOne(ref sets, sink);
        }
    }

    /// <summary>Goes to the next object of the array, past whatever else it holds.</summary>
    private static bool NextSet(ref JsonWalker sets)
    {
        while (sets.Read() && sets.TokenType != JsonTokenType.EndArray)
        {
            if (sets.TokenType == JsonTokenType.StartObject)
            {
                return true;
            }
            sets.Skip();
        }
        return false;
    }

    private static void GiveDataOfOne(ref JsonWalker set, IValueSink sink)
    {
        // The type decides how the data are read and may come after them.
        JsonWalker data = default;
        JsonWalker typeAt = default;
        while (set.Read() && set.TokenType == JsonTokenType.PropertyName)
        {
            bool isData = set.ValueTextEquals("rdata"u8);
            bool isType = set.ValueTextEquals("type"u8);
            set.Read();
            if (isData)
            {
                data = set;
            }
            else if (isType)
            {
                typeAt = set;
            }
            set.Skip();
        }
        RecordType type = TypeOf(typeAt);
        using var text = new JsonText();
        if (text.TryRead(data))
        {
            Give(text.Bytes, type, sink);
        }
        if (data.TokenType != JsonTokenType.StartArray)
        {
            return;
        }
        while (data.Read() && data.TokenType != JsonTokenType.EndArray)
        {
            if (text.TryRead(data))
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

    private static RecordType TypeOf(in JsonWalker at)
    {
        using var text = new JsonText();
        return !text.TryRead(at) ? RecordType.OneWord
            : Ascii.EqualsIgnoreCase(text.Bytes, "MX"u8) ? RecordType.Mx
            : Ascii.EqualsIgnoreCase(text.Bytes, "SRV"u8) ? RecordType.Srv
            : Ascii.EqualsIgnoreCase(text.Bytes, "SOA"u8) ? RecordType.Soa
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

    /// <summary>Only notes whether there was a value.</summary>
    private sealed class Any : IValueSink
    {
        public bool Given { get; private set; }

        public void Name(HitField field, ReadOnlySpan<byte> name) => Given = true;

        public void Address(HitField field, ReadOnlySpan<byte> address) => Given = true;
    }
}
