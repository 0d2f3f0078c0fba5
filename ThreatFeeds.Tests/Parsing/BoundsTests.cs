using System.Text;
using ThreatFeeds.Indicators;
using ThreatFeeds.Manifests;
using ThreatFeeds.Parsing;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Parsing;

public sealed class BoundsTests
{
    private static readonly ParseSettings Names = new(ContentKind.DomainNameSet, Parse.Lines, false);

    // Twenty thousand lines, a thousand names.
    private static readonly string Repeating = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"name{i * 7 % 1000}.example\n"));

    [Fact]
    public async Task Memory_follows_what_is_different_and_not_what_is_repeated()
    {
        const int Pieces = 100;
        long before = GC.GetAllocatedBytesForCurrentThread();
        ParseResult repeating = await FeedParser.ParseAsync(new RepeatingBody(Repeating, Pieces), Names, default);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((1000L, 1000, 2_000_000L, 1_999_000L), (repeating.Accepted, repeating.Set.Count, repeating.AcceptedEntries, repeating.Cleaned["repeat"]));
        Assert.True(allocated < 4 << 20, $"{allocated} bytes for {Pieces * Repeating.Length} bytes of repeats");
    }

    [Theory]
    [InlineData("lines")]
    [InlineData("csv")]
    [InlineData("json")]
    public async Task More_different_indicators_than_may_be_held_are_unusable_and_the_limit_is_named(string format)
    {
        FeedFormat of = format switch { "csv" => Parse.Csv(number: 0), "json" => new FeedFormat.Json("$"), _ => Parse.Lines };
        ParseSettings settings = Names with { Format = of, MaxIndicatorBytes = 1 << 20 };
        string Body(int different) => format == "json"
            ? "[" + string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"name{i * 7 % different:D6}.example\"")) + "]"
            : string.Concat(Enumerable.Range(0, 100_000).Select(i => $"name{i * 7 % different:D6}.example\n"));
        // 18 bytes and 28 beside them.
        ParseResult fits = await FeedParser.ParseAsync(new MemoryStream(Encoding.UTF8.GetBytes(Body(22_000))), settings, default);
        Assert.Null(fits.Unusable);
        Assert.Equal(22_000, fits.Accepted);
        ParseResult over = await FeedParser.ParseAsync(new MemoryStream(Encoding.UTF8.GetBytes(Body(24_000))), settings, default);
        Assert.Contains("1 MiB", over.Unusable, StringComparison.Ordinal);
        Assert.Contains("22,7", over.Unusable, StringComparison.Ordinal);
        Assert.Equal((0L, 0), (over.Accepted, over.Set.Count));
    }

    [Fact]
    public void The_default_limit_holds_ten_million_names_of_twenty_bytes() =>
        Assert.True(10_000_000L * (20 + IndicatorSetBuilder.EntryOverhead) < new ParseSettings(ContentKind.IPSet, Parse.Lines, false).MaxIndicatorBytes);

    [Fact]
    public async Task A_list_that_is_read_can_still_be_cancelled_before_it_is_sorted()
    {
        using var cancel = new CancellationTokenSource();
        using var body = new RepeatingBody(Repeating, 1) { AtEnd = cancel.Cancel };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FeedParser.ParseAsync(body, Names, cancel.Token));
    }

    [Fact]
    public void A_sort_looks_at_its_token()
    {
        var builder = new IndicatorSetBuilder(ContentKind.DomainNameSet);
        for (int i = 1000; i > 0; i--)
        {
            builder.Add(Encoding.ASCII.GetBytes($"name{i}.example"));
        }
        Assert.ThrowsAny<OperationCanceledException>(() => builder.Build(new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Millions_of_entries_are_sorted_and_without_repeats()
    {
        // More than are sorted in one go; half of them twice.
        const int Different = 1_200_000;
        var builder = new IndicatorSetBuilder(ContentKind.IPSet);
        Span<byte> entry = stackalloc byte[6];
        for (int i = 0; i < Different * 3 / 2; i++)
        {
            uint value = (uint)(i % Different) * 2654435761u;
            (entry[0], entry[5]) = (4, 32);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(entry[1..], value);
            Assert.Equal(i < Different, builder.Add(entry));
        }
        Assert.Equal((Different, Different / 2L), (builder.Count, builder.Repeats));
        IndicatorSet set = builder.Build();
        Assert.Equal(Different, set.Count);
        for (int i = 1; i < set.Count; i++)
        {
            if (set[i - 1].SequenceCompareTo(set[i]) >= 0)
            {
                Assert.Fail($"out of order at {i}");
            }
        }
    }

    [Fact]
    public async Task A_JSON_body_is_read_without_being_held()
    {
        const int Pieces = 60;
        string filler = "{\"v\":[" + string.Join(',', Enumerable.Range(0, 200_000)) + "]},";
        using var body = new RepeatingBody(filler, Pieces, "{\"skip\":[", "0],\"l\":[\"bad.example\",\"bad.example\",\"Worse.example\"]}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        ParseResult result = await FeedParser.ParseAsync(body, Names with { Format = new FeedFormat.Json("$.l") }, default);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Null(result.Unusable);
        Assert.Equal(["bad.example", "worse.example"], Parse.Texts(result));
        Assert.True(Pieces * filler.Length > 50 << 20);
        Assert.True(allocated < 8 << 20, $"{allocated} bytes allocated");
    }

    [Theory]
    [InlineData("$.l[-2:]", "name199998.example name199999.example")]
    [InlineData("$..l[-1]", "name199999.example")]
    [InlineData("$.l[:-199999:-1]", "")]
    [InlineData("$.l[0]", "name0.example")]
    public async Task A_path_that_counts_from_the_end_holds_the_array_it_counts_in(string path, string expected)
    {
        string text = "{\"a\":1,\"l\":[" + string.Join(',', Enumerable.Range(0, 200_000).Select(i => $"\"name{i}.example\"")) + "]}";
        ParseResult result = await Parse.NamesAsync(text.Replace("name0", "x.name0", StringComparison.Ordinal), new FeedFormat.Json(path));
        if (expected.Length == 0)
        {
            Assert.Equal(199_998, result.Set.Count);
        }
        else if (path == "$.l[0]")
        {
            Assert.Contains("one string", result.Unusable, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(path == "$..l[-1]" ? ["name199999.example"] : expected.Split(' '), Parse.Texts(result));
        }
    }

    [Theory]
    [InlineData("$[-1:]", "[", "1,", "counts from the end of an array")]
    [InlineData("$[*]", "[\"", "xx", "longer than 32 MiB")]
    public async Task What_a_path_must_hold_is_bounded_and_the_bound_is_named(string path, string begin, string unit, string expected)
    {
        string piece = string.Concat(Enumerable.Repeat(unit, 1 << 19));
        using var body = new RepeatingBody(piece, 40, begin, "0");
        ParseResult result = await FeedParser.ParseAsync(body, Names with { Format = new FeedFormat.Json(path) }, default);
        Assert.Contains(expected, result.Unusable, StringComparison.Ordinal);
        Assert.Contains("32 MiB", result.Unusable, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_array_stands_for_its_elements_until_a_second_value_comes()
    {
        ParseResult one = await Parse.NamesAsync("""{"x":{"l":["a.example","b.example"]},"y":1}""", new FeedFormat.Json("$..l"));
        Assert.Equal(["a.example", "b.example"], Parse.Texts(one));
        ParseResult two = await Parse.NamesAsync("""{"x":{"l":["a.example","b.example"]},"y":{"l":"c.example"}}""", new FeedFormat.Json("$..l"));
        Assert.Equal(["c.example"], Parse.Texts(two));
        Assert.Equal((1, 1L), (two.Refused["not a string"], two.Refusals[0].Line));
        ParseResult inside = await Parse.NamesAsync("""[["a.example"],"b.example"]""", new FeedFormat.Json("$..*"));
        Assert.Equal(["a.example", "b.example"], Parse.Texts(inside));
        Assert.Equal(1, inside.Refused["not a string"]);
    }

    [Fact]
    public async Task A_key_that_an_object_has_twice_is_refused_when_the_path_asks_for_it()
    {
        const string Body = """{"l":["a.example"],"m":1,"m":2,"l":["b.example"]}""";
        Assert.Contains("the key \"l\" twice", (await Parse.NamesAsync(Body, new FeedFormat.Json("$.l"))).Unusable, StringComparison.Ordinal);
        Assert.Equal(["a.example", "b.example"], Parse.Texts(await Parse.NamesAsync(Body, new FeedFormat.Json("$.*[0]"))));
    }

    [Fact]
    public async Task A_path_that_multiplies_values_ends()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 60)) + "\"a.example\"" + new string(']', 60);
        string path = "$" + string.Concat(Enumerable.Repeat("..*", 20));
        Assert.Contains("more than 20000000 values", (await Parse.NamesAsync(deep, new FeedFormat.Json(path))).Unusable, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_is_slow_to_follow_is_left_at_once_when_it_is_cancelled()
    {
        // A path that counts from the end has the array held, so that all of it is worked off at once: minutes, without a look at the token.
        string path = $"$[{string.Join(',', Enumerable.Range(1, 10_000).Select(i => $"-{i}0000000"))}]";
        using var cancel = new CancellationTokenSource();
        using var body = new RepeatingBody(string.Concat(Enumerable.Repeat("1,", 1 << 20)), 10, "[", "0]") { AtEnd = cancel.Cancel };
        Task<ParseResult> parsing = Task.Run(() => FeedParser.ParseAsync(body, Names with { Format = new FeedFormat.Json(path) }, cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parsing.WaitAsync(TimeSpan.FromSeconds(40)));
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_does_not_hold_the_rest_of_the_body()
    {
        const int Pieces = 60;
        string lines = string.Concat(Enumerable.Repeat("bad.example,1\n", 1 << 16));
        using var body = new RepeatingBody(lines, Pieces, "name,count\n\"");
        long before = GC.GetAllocatedBytesForCurrentThread();
        ParseResult result = await FeedParser.ParseAsync(body, Names with { Format = Parse.Csv(number: 0) }, default);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
        Assert.Contains("The record that begins on line 2 is longer than 1 MiB", result.Unusable, StringComparison.Ordinal);
        Assert.Contains("quote", result.Unusable, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_long_lines_no_more_is_held_than_tells_the_format()
    {
        using var body = new RepeatingBody(new string('x', 1_000_000) + " y\n", 200);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ParseResult result = await FeedParser.ParseAsync(body, Names, default);
        Assert.Equal(200, result.RefusedCount);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }
}
