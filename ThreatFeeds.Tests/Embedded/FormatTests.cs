using System.Buffers.Binary;
using System.Text;
using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Every file says its version. One of a later program is refused by name, and nothing in the folder is changed; what cannot be a file of ours is damage.</summary>
public sealed class FormatTests
{
    private readonly HeldClock _clock = new();
    private readonly ForgetfulFiles _files = new(1);

    [Theory]
    [InlineData("dns/ledger", 3)]
    [InlineData("flow/ledger", 3)]
    [InlineData("dns/acknowledged", 1)]
    [InlineData("flow/acknowledged", 1)]
    [InlineData("dns/00000001.seg", 1)]
    [InlineData("flow/00000001.seg", 1)]
    [InlineData("logs/id", 1)]
    public async Task A_file_of_a_newer_version_is_refused_by_name_and_nothing_is_changed(string file, int known)
    {
        await MakeAsync();
        Raise(file, known + 1);
        var before = Everything();
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains($"/data/logs/{file.Replace("logs/", "", StringComparison.Ordinal)} ", e.Message, StringComparison.Ordinal);
        Assert.Contains($"version {known + 1}", e.Message, StringComparison.Ordinal);
        Assert.Contains($"versions up to {known}.", e.Message, StringComparison.Ordinal);
        Assert.Contains("newer", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything());
        // The program that wrote it finds everything as it was.
        Raise(file, known);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal(["a", "b"], await store.LinesAsync());
    }

    [Fact]
    public async Task A_newer_ledger_is_known_by_its_title_whatever_follows()
    {
        await MakeAsync();
        _files.Replace("dns/ledger", _ => "threatfeeds segments 12\nsomething else entirely, with another checksum\n");
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains("version 12", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_note_of_a_newer_version_that_is_damaged_is_not_believed()
    {
        await MakeAsync();
        Raise("dns/acknowledged", 2);
        _files.Damage("dns/acknowledged", 20);
        _files.Damage("dns/acknowledged", 64 + 20);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal(["a", "b"], await store.LinesAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("threatfeeds segments ")]
    [InlineData("threatfeeds segments x\n")]
    [InlineData("threatfeeds segments 0\n")]
    [InlineData("threatfeeds segments -1\n")]
    [InlineData("threatfeeds segments 3\nsealed\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 68\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 68 2 99999999999999999999\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 68 2 9223372036854775807\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 -68 2 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 9223372036854775807 2 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\nsealed 0 68 2 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\nsealed 9223372036854775807 68 2 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 68 9223372036854775807 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\nsealed 1 68 2 638000000000000000\nsealed 1 68 2 638000000000000000\n")]
    [InlineData("threatfeeds segments 3\ndeleted 2 1 1 0 1 638000000000000000 0\n")]
    [InlineData("threatfeeds segments 3\ndeleted 1 2 3 0 1 638000000000000000 0\n")]
    [InlineData("threatfeeds segments 3\ndeleted 1 1 638000000000000000 0\n")]
    [InlineData("threatfeeds segments 3\ndamaged 1 9223372036854775807 1\n")]
    [InlineData("threatfeeds segments 3\ndamaged 1 0 0\n")]
    [InlineData("threatfeeds segments 3\nerased 1 2 3 4\n")]
    [InlineData("threatfeeds segments 3\n1 2 3 4 5 6 7 8 9 10\n")]
    public async Task A_ledger_whose_words_cannot_be_true_is_damaged_though_its_checksum_is_right(string body)
    {
        await MakeAsync();
        _files.Replace("dns/ledger", _ => LedgerTests.Sealed(body));
        var before = Everything();
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains("/data/logs/dns/ledger is damaged", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything());
    }

    [Theory]
    [InlineData("")]
    [InlineData("threatfeeds store 1 nonsense\n")]
    [InlineData("threatfeeds store one 0123456789abcdef0123456789abcdef\n")]
    [InlineData("threatfeeds store 1\n")]
    public async Task An_id_that_is_none_is_damaged(string text)
    {
        await MakeAsync();
        _files.Replace("logs/id", _ => text);
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains("/data/logs/id is damaged", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_and_a_ledger_that_are_far_too_long_are_not_read()
    {
        await MakeAsync();
        byte[] id = _files.Bytes("logs/id");
        _files.Replace("logs/id", text => text + new string(' ', 2000));
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains("/data/logs/id is damaged", e.Message, StringComparison.Ordinal);
        _files.Replace("logs/id", _ => Encoding.ASCII.GetString(id));
        _files.Pretend("dns/ledger", 3L << 30);
        e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(_files, _clock));
        Assert.Contains("/data/logs/dns/ledger is damaged", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_bare_id_of_the_first_version_is_read()
    {
        await MakeAsync();
        string id = Encoding.ASCII.GetString(_files.Bytes("logs/id")).TrimEnd().Split(' ')[^1];
        _files.Replace("logs/id", _ => id);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        Assert.Equal($"{id}-dns", store.Dns().Id);
    }

    [Fact]
    public async Task Files_beside_the_segments_whose_names_are_not_ours_are_left_alone()
    {
        await MakeAsync();
        string[] names = ["1.seg", "-0000001.seg", "+0000002.seg", " 0000003.seg", "000000004.seg", "0.seg", "00000000.seg", "9223372036854775807.seg", "copy.seg"];
        foreach (string name in names)
        {
            _files.Create($"/data/logs/dns/{name}").Write(0, "foreign"u8);
        }
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddAsync("c");
        Assert.Equal(["a", "b", "c"], await store.LinesAsync());
        Assert.Equal(new Position(2, 0), await store.HeadAsync());
        Assert.All(names, n => Assert.Contains(n, _files.List("/data/logs/dns")));
    }

    [Theory]
    [InlineData(16, long.MaxValue)]
    [InlineData(16, -1)]
    [InlineData(24, -5)]
    [InlineData(24, long.MaxValue)]
    [InlineData(32, long.MinValue)]
    [InlineData(40, long.MaxValue)]
    public async Task A_note_whose_numbers_cannot_be_true_is_not_believed(int at, long number)
    {
        await MakeAsync();
        _files.Rewrite("dns/acknowledged", bytes =>
        {
            foreach (int slot in (int[])[0, 64])
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(slot + 8), long.MaxValue - 100 + slot);
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(slot + at), number);
                Note(bytes.AsSpan(slot, 64), 1);
            }
        });
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddAsync("c");
        Assert.Equal(["a", "b", "c"], await store.LinesAsync());
        Assert.Equal(new Position(2, 0), await store.HeadAsync());
        Assert.Equal(new RangeCount(3, 0), await store.CountAsync());
    }

    /// <summary>A folder as a killed process leaves it: a start has to cut, to seal and to write.</summary>
    private async Task MakeAsync()
    {
        EmbeddedLogStore store = await StoreFixture.OpenAsync(_files, _clock);
        await store.AddAsync("a");
        await store.AddAsync("b");
        await store.AppendAsync(new LogBatch(LogKind.Flow, "calico", [new byte[10]], null), CancellationToken.None);
        _files.Kill();
        await store.DisposeAsync();
        foreach (string kind in (string[])["dns", "flow"])
        {
            using IDurableFile file = _files.OpenWrite($"/data/logs/{kind}/00000001.seg");
            file.Write(file.Length, "a torn tail"u8);
            // As from a process before the one that was killed.
            using IDurableFile ledger = _files.Create($"/data/logs/{kind}/ledger");
            ledger.Write(0, Encoding.UTF8.GetBytes(LedgerTests.Sealed("threatfeeds segments 3\n")));
        }
    }

    private void Raise(string file, int version)
    {
        if (file.EndsWith(".seg", StringComparison.Ordinal))
        {
            _files.Rewrite(file, bytes => bytes[6] = (byte)version);
        }
        else if (file.EndsWith("acknowledged", StringComparison.Ordinal))
        {
            _files.Rewrite(file, bytes =>
            {
                Note(bytes.AsSpan(0, 64), version);
                Note(bytes.AsSpan(64), version);
            });
        }
        else
        {
            _files.Replace(file, text => file.EndsWith("id", StringComparison.Ordinal)
                ? $"threatfeeds store {version} {text.TrimEnd().Split(' ')[^1]}\n"
                : LedgerTests.Sealed($"threatfeeds segments {version}\n"));
        }
    }

    private static void Note(Span<byte> slot, int version)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(slot[6..], (ushort)version);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[48..], Crc32C.Of(slot[..48]));
    }

    private Dictionary<string, string> Everything() => new[] { "/data/logs", "/data/logs/dns", "/data/logs/flow" }
        .SelectMany(f => _files.List(f).Select(n => $"{f}/{n}")).ToDictionary(p => p, p => Convert.ToHexString(_files.Bytes(p)));
}
