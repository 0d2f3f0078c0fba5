using System.Text;
using ThreatFeeds.Manifests;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>One column of comma-separated values.</summary>
internal static class CsvFormat
{
    public static async Task<ParseResult> ParseAsync(Stream body, ParseSettings settings, FeedFormat.Csv csv, CancellationToken ct)
    {
        var to = new EntryCollector(settings);
        if (!CsvRecordReader.AreValid(csv.Delimiter, csv.Comment))
        {
            return to.Finish("columnDelimiter and commentDelimiter must differ and be neither a quote nor a line end.", ct);
        }
        var lines = new LineReader(body);
        var table = new CsvTable(csv, to);
        while (await lines.FillAsync(ct))
        {
            if (lines.Line == 0 && (BodyTraits.OtherEncoding(lines.Head.Span) ?? BodyTraits.WebPage(lines.Head.Span)) is { } other)
            {
                return to.Finish(other, ct);
            }
            while (lines.TryRead(out ReadOnlySpan<byte> line))
            {
                if (lines.TooLong)
                {
                    to.Refuse([], lines.Line, "line over 1 MiB");
                }
                else
                {
                    table.Push(line, lines.Terminated, lines.Line);
                }
                if ((table.Unusable ?? to.Overfull) is { } reason)
                {
                    return to.Finish(reason, ct);
                }
            }
        }
        NewlineFormat.CountEnds(lines, to);
        string? unusable = table.Finish();
        if (unusable is null && BodyTraits.OtherContent(to) is { } content)
        {
            to.Problems.Add(content);
        }
        return to.Finish(unusable, ct);
    }
}

/// <summary>Finds the column and takes its values.</summary>
internal sealed class CsvTable(FeedFormat.Csv csv, EntryCollector to)
{
    // A column name is looked for in so many skipped lines.
    private const int CommentsKept = 100;
    private const int MaxNameShown = 60, MaxColumns = 200, MaxComment = 4000;

    private readonly CsvRecordReader _reader = new(csv.Delimiter, csv.Comment, csv.DisableRecordSizeValidation ? -1 : csv.RecordSize ?? 0);
    private readonly List<string> _comments = [];
    private int _column = csv.FieldNum ?? (csv.FieldName is null ? 0 : -1);
    private long _records;
    private bool _headerSeen;

    /// <summary>Set when reading on is of no use.</summary>
    public string? Unusable { get; private set; }

    public void Push(ReadOnlySpan<byte> line, bool terminated, long number)
    {
        switch (_reader.Push(line, terminated, number))
        {
            case CsvStep.Nothing:
                to.Count(Cleaning.BlankLine);
                break;
            case CsvStep.Comment:
                to.Count(Cleaning.Comment);
                if (_comments.Count < CommentsKept)
                {
                    _comments.Add(Encoding.UTF8.GetString(line[..Math.Min(line.Length, MaxComment)]));
                }
                break;
            case CsvStep.More when _reader.Length > LineReader.MaxLine:
                Unusable = $"The record that begins on line {_reader.StartLine} is longer than 1 MiB: a quote in it is stray, or never closed.";
                break;
            case CsvStep.Record when csv.Header && !_headerSeen:
                ReadHeader();
                break;
            case CsvStep.Record:
                ReadRecord();
                break;
            case CsvStep.BareQuote:
                to.Refuse(line, number, "bare quote");
                break;
            case CsvStep.BadQuote:
                to.Refuse(line, number, "extraneous or missing quote");
                break;
            case CsvStep.WrongNumberOfFields:
                to.Refuse(line, _reader.StartLine, "wrong number of fields");
                break;
        }
    }

    /// <summary>After the last line; why the body cannot be used, or null.</summary>
    public string? Finish()
    {
        if (_reader.Open)
        {
            return $"A quote opened in the record on line {_reader.StartLine} is never closed: the body is cut short, or a quote is stray.";
        }
        if (_records > 0 || to.RefusedCount > 0)
        {
            return _column < 0 ? MissingColumn([]) : null;
        }
        return _headerSeen ? "The body has a header and no records." : _comments.Count > 0 ? "The body holds only comments." : "The body is empty.";
    }

    private void ReadHeader()
    {
        _headerSeen = true;
        var names = new string[_reader.FieldCount];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = Encoding.UTF8.GetString(_reader.Field(i));
        }
        to.Columns = [.. names.Take(MaxColumns).Select((name, i) => new FeedColumn(i, VisibleText.Of(name, VisibleText.Quoted), null))];
        if (csv.FieldName is { } wanted)
        {
            _column = Array.IndexOf(names, wanted);
            if (_column < 0)
            {
                _column = Array.FindIndex(names, n => n.Trim() == wanted.Trim());
            }
            Unusable = _column < 0 ? MissingColumn(names) : null;
        }
        else if (_column >= names.Length)
        {
            Unusable = TooFewColumns(names.Length);
        }
    }

    private void ReadRecord()
    {
        if (_records++ == 0)
        {
            if (_column < 0)
            {
                Unusable = MissingColumn([]);
                return;
            }
            if (!csv.Header && _column >= _reader.FieldCount && !csv.DisableRecordSizeValidation)
            {
                Unusable = TooFewColumns(_reader.FieldCount);
                return;
            }
            AddSamples();
        }
        if (_column < _reader.FieldCount)
        {
            to.Add(_reader.Field(_column), _reader.StartLine);
        }
        else
        {
            to.Refuse(_reader.Field(0), _reader.StartLine, "column missing");
        }
    }

    private void AddSamples()
    {
        var columns = new List<FeedColumn>();
        for (int i = 0; i < Math.Min(MaxColumns, Math.Max(_reader.FieldCount, to.Columns.Count)); i++)
        {
            columns.Add(new FeedColumn(
                i, i < to.Columns.Count ? to.Columns[i].Name : null, i < _reader.FieldCount ? VisibleText.Of(_reader.Field(i), VisibleText.Quoted) : null));
        }
        to.Columns = columns;
    }

    private string MissingColumn(string[] names)
    {
        string wanted = csv.FieldName!;
        if (!csv.Header)
        {
            return $"fieldName \"{wanted}\" needs header: true, or name the column by fieldNum.";
        }
        foreach (string comment in _comments)
        {
            string[] fields = comment.Split(csv.Delimiter);
            if (fields.Any(f => f.Trim().Trim('"') == wanted) || fields[0].TrimStart(csv.Comment ?? '#').Trim().Trim('"') == wanted)
            {
                int column = Array.FindIndex(fields, f => f.TrimStart(csv.Comment ?? '#').Trim().Trim('"') == wanted);
                return $"The column \"{wanted}\" stands only in a line that is skipped as a comment. Leave out commentDelimiter and name it as it stands there, "
                    + $"or use header: false and fieldNum: {column}.";
            }
        }
        return $"The header has no column \"{wanted}\". It has: {string.Join(", ", names.Take(20).Select(n => $"\"{VisibleText.Of(n, MaxNameShown)}\""))}.";
    }

    private string TooFewColumns(int count) => $"The body has {count} columns, and fieldNum {_column} is column number {_column + 1L} of a count from 0.";
}
