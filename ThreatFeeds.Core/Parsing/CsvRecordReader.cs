using System.Text;

namespace ThreatFeeds.Parsing;

/// <summary>What a line meant to the record being read.</summary>
internal enum CsvStep
{
    /// <summary>Blank, or a comment.</summary>
    Nothing,
    /// <summary>A quoted field goes on in the next line.</summary>
    More,
    Record,
    BareQuote,
    BadQuote,
    WrongNumberOfFields,
    Comment,
}

/// <summary>
/// Records of comma-separated values as Go's encoding/csv reads them (neither lazy quotes nor trimming): comments only at the start of a line,
/// blank lines skipped, a quote inside an unquoted field an error, the first record fixing the number of fields unless told otherwise.
/// </summary>
internal sealed class CsvRecordReader
{
    private readonly byte[] _delimiter;
    private readonly byte[] _comment;
    private int _fieldsPerRecord;
    private byte[] _bytes = new byte[1024];
    private int _length;
    private readonly List<int> _ends = [];
    private bool _quoted;

    /// <param name="fieldsPerRecord">As in Go: positive, exactly so many; 0, as many as the first record has; negative, any number.</param>
    public CsvRecordReader(char delimiter, char? comment, int fieldsPerRecord)
    {
        _delimiter = Encoding.UTF8.GetBytes([delimiter]);
        _comment = comment is { } c ? Encoding.UTF8.GetBytes([c]) : [];
        _fieldsPerRecord = fieldsPerRecord;
    }

    /// <summary>As Go: neither quote, line end nor the replacement character, and not the same.</summary>
    public static bool AreValid(char delimiter, char? comment) =>
        IsValid(delimiter) && (comment is not { } c || (IsValid(c) && c != delimiter));

    /// <summary>Line on which the record read last begins.</summary>
    public long StartLine { get; private set; }

    public int FieldCount => _ends.Count;

    /// <summary>Bytes of the record so far.</summary>
    public int Length => _length;

    /// <summary>Inside a quoted field that is still open.</summary>
    public bool Open => _quoted;

    public ReadOnlySpan<byte> Field(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return _bytes.AsSpan(start, _ends[index] - start);
    }

    /// <summary>Takes the next line, without its line end.</summary>
    /// <param name="terminated">The line ended with a line feed.</param>
    public CsvStep Push(ReadOnlySpan<byte> line, bool terminated, long number)
    {
        if (!_quoted)
        {
            if (_comment.Length > 0 && line.StartsWith(_comment))
            {
                return CsvStep.Comment;
            }
            if (line.IsEmpty)
            {
                return CsvStep.Nothing;
            }
            StartLine = number;
            _length = 0;
            _ends.Clear();
        }
        while (true)
        {
            if (!_quoted && line is not [(byte)'"', ..])
            {
                int at = line.IndexOf(_delimiter);
                ReadOnlySpan<byte> field = at < 0 ? line : line[..at];
                if (field.Contains((byte)'"'))
                {
                    return CsvStep.BareQuote;
                }
                Append(field);
                _ends.Add(_length);
                if (at < 0)
                {
                    return Finish();
                }
                line = line[(at + _delimiter.Length)..];
                continue;
            }
            line = _quoted ? line : line[1..];
            _quoted = true;
            switch (ReadQuoted(ref line))
            {
                case CsvStep.Record:
                    return Finish();
                case CsvStep.BadQuote:
                    _quoted = false;
                    return CsvStep.BadQuote;
                case CsvStep.More:
                    if (terminated)
                    {
                        Append("\n"u8);
                    }
                    return CsvStep.More;
            }
        }
    }

    // Nothing: the field is done and a delimiter followed; Record: the line is done with it.
    private CsvStep ReadQuoted(ref ReadOnlySpan<byte> line)
    {
        while (true)
        {
            int quote = line.IndexOf((byte)'"');
            if (quote < 0)
            {
                Append(line);
                return CsvStep.More;
            }
            Append(line[..quote]);
            line = line[(quote + 1)..];
            if (line is [(byte)'"', ..])
            {
                Append("\""u8);
                line = line[1..];
                continue;
            }
            if (!line.IsEmpty && !line.StartsWith(_delimiter))
            {
                return CsvStep.BadQuote;
            }
            _ends.Add(_length);
            _quoted = false;
            if (line.IsEmpty)
            {
                return CsvStep.Record;
            }
            line = line[_delimiter.Length..];
            return CsvStep.Nothing;
        }
    }

    private CsvStep Finish()
    {
        if (_fieldsPerRecord == 0)
        {
            _fieldsPerRecord = _ends.Count;
        }
        return _fieldsPerRecord > 0 && _ends.Count != _fieldsPerRecord ? CsvStep.WrongNumberOfFields : CsvStep.Record;
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        if (_length + text.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + text.Length));
        }
        text.CopyTo(_bytes.AsSpan(_length));
        _length += text.Length;
    }

    private static bool IsValid(char c) => c is not ('\0' or '"' or '\r' or '\n' or '\uFFFD') && !char.IsSurrogate(c);
}
