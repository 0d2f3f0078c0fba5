using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThreatFeeds.Parsing;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

public sealed class CsvRecordReaderTests
{
    [SharedDataFact]
    public async Task Records_are_read_as_Go_reads_them()
    {
        int read = 0, skipped = 0;
        foreach (JsonElement c in JsonDocument.Parse(SharedData.Read("vectors/go/csv-reader.json")).RootElement.EnumerateArray())
        {
            string name = c.GetProperty("name").GetString()!;
            if (c.GetProperty("lazyQuotes").GetBoolean() || c.GetProperty("trimLeadingSpace").GetBoolean())
            {
                skipped++; // Options the feed format does not have.
                continue;
            }
            read++;
            char comma = c.TryGetProperty("comma", out JsonElement d) ? d.GetString()![0] : ',';
            char? comment = c.TryGetProperty("comment", out JsonElement k) ? k.GetString()![0] : null;
            string? error = c.TryGetProperty("error", out JsonElement e) ? e.GetString() : null;
            if (error == "csv: invalid field or comment delimiter")
            {
                Assert.False(CsvRecordReader.AreValid(comma, comment), name);
                continue;
            }
            Assert.True(CsvRecordReader.AreValid(comma, comment), name);
            (List<string[]> records, string? fault) = await ReadAsync(
                Encoding.UTF8.GetBytes(c.GetProperty("input").GetString()!), comma, comment, c.GetProperty("fieldsPerRecord").GetInt32());
            JsonElement expected = error is null ? c.GetProperty("records") : c.TryGetProperty("recordsBeforeError", out JsonElement b) ? b : default;
            string[][] rows = expected.ValueKind == JsonValueKind.Array ? expected.Deserialize<string[][]>()! : [];
            Assert.Equal(rows, records);
            Assert.True((error is null) == (fault is null), $"{name}: {error} / {fault}");
            if (error is not null)
            {
                string line = Regex.Match(error, @"(?:parse error|record) on line (\d+)(?!.*line)").Groups[1].Value;
                string what = Regex.Match(error, "[^:]*$").Value.Trim().Replace(" \" in non-quoted-field", " quote", StringComparison.Ordinal)
                    .Replace(" \" in quoted-field", " quote", StringComparison.Ordinal);
                Assert.Equal($"{line}: {what}", fault);
            }
        }
        Assert.Equal((54, 12), (read, skipped));
    }

    [SharedDataFact]
    public async Task The_csv_spectrum_is_read()
    {
        string[] files = Directory.GetFiles(SharedData.PathOf("vectors/csv-spectrum/csvs"), "*.csv");
        Assert.Equal(12, files.Length);
        foreach (string file in files)
        {
            (List<string[]> records, string? fault) = await ReadAsync(await File.ReadAllBytesAsync(file), ',', null, 0);
            if (Path.GetFileName(file) == "location_coordinates.csv")
            {
                Assert.Equal("2: bare quote", fault); // An unquoted field with a quote: an error in Go.
                continue;
            }
            Assert.Null(fault);
            string json = await File.ReadAllTextAsync(SharedData.PathOf($"vectors/csv-spectrum/json/{Path.GetFileNameWithoutExtension(file)}.json"));
            var expected = JsonSerializer.Deserialize<Dictionary<string, string>[]>(json)!;
            Assert.Equal(expected.Length, records.Count - 1);
            for (int i = 0; i < expected.Length; i++)
            {
                // Go folds CR LF inside quoted fields, the spectrum does not.
                Assert.Equal(
                    expected[i].Select(p => (p.Key, p.Value.ReplaceLineEndings("\n"))),
                    records[0].Zip(records[i + 1]));
            }
        }
    }

    private static async Task<(List<string[]> Records, string? Fault)> ReadAsync(byte[] input, char comma, char? comment, int fields)
    {
        var lines = new LineReader(new MemoryStream(input));
        var reader = new CsvRecordReader(comma, comment, fields);
        var records = new List<string[]>();
        while (await lines.FillAsync(CancellationToken.None))
        {
            while (lines.TryRead(out ReadOnlySpan<byte> line))
            {
                switch (reader.Push(line, lines.Terminated, lines.Line))
                {
                    case CsvStep.Record:
                        records.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Encoding.UTF8.GetString(reader.Field(i)))]);
                        break;
                    case CsvStep.BareQuote:
                        return (records, $"{lines.Line}: bare quote");
                    case CsvStep.BadQuote:
                        return (records, $"{lines.Line}: extraneous or missing quote");
                    case CsvStep.WrongNumberOfFields:
                        return (records, $"{reader.StartLine}: wrong number of fields");
                }
            }
        }
        return (records, reader.Open ? $"{lines.Line}: extraneous or missing quote" : null);
    }
}
