using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Ports;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

public sealed class EmbeddedLogStoreContractTests : LogStoreContract
{
    private readonly string _folder = Directory.CreateTempSubdirectory("threatfeeds-").FullName;
    private EmbeddedLogStore _store = null!;

    public override async Task InitializeAsync()
    {
        _store = await StoreFixture.OpenAsync(new DurableFiles(), TimeProvider.System, _folder);
        Use(_store);
    }

    public override async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

public sealed class EmbeddedLogStoreTests
{
    private readonly HeldClock _clock = new();

    [Fact]
    public async Task A_restart_keeps_records_id_and_keys_and_begins_a_new_segment()
    {
        using var folder = new TemporaryFolder();
        EmbeddedLogStore first = await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path);
        await first.AddWithKeyAsync("k", "a", "b");
        string id = first.Dns().Id;
        await first.DisposeAsync();
        await using EmbeddedLogStore second = await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path);
        Assert.Equal(id, second.Dns().Id);
        Assert.False(await second.AddWithKeyAsync("k", "a", "b"));
        await second.AddAsync("c");
        List<(Position Position, string Line)> all = await second.ReadAsync();
        Assert.Equal(["a", "b", "c"], all.Select(r => r.Line));
        Assert.Equal([new Position(1, 0), new Position(1, 1), new Position(2, 0)], all.Select(r => r.Position));
        Assert.Equal(_clock.GetUtcNow(), await second.LastReceivedAtAsync(second.Dns(), CancellationToken.None));
    }

    [Fact]
    public async Task A_start_begins_above_the_stored_marks()
    {
        var files = new ForgetfulFiles(1);
        EmbeddedLogStore first = await StoreFixture.OpenAsync(files, _clock);
        await first.AddAsync("a");
        string id = first.Dns().Id;
        await first.DisposeAsync();
        await using EmbeddedLogStore second = await StoreFixture.OpenAsync(files, _clock, floors: new() { [id] = new Position(40, 7) });
        await second.AddAsync("b");
        Assert.Equal(new Position(41, 0), await second.HeadAsync());
    }

    [Fact]
    public async Task A_second_store_on_one_folder_refuses_to_start()
    {
        using var folder = new TemporaryFolder();
        EmbeddedLogStore first = await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path);
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path));
        Assert.Contains("Another process uses the data folder", e.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        await (await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path)).DisposeAsync();
    }

    [Fact]
    public async Task A_folder_held_by_another_process_is_refused()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using var folder = new TemporaryFolder();
        await (await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path)).DisposeAsync();
        // flock holds the lock in a process of its own until its input ends.
        var start = new System.Diagnostics.ProcessStartInfo("flock", ["--exclusive", Path.Combine(folder.Path, "logs", "lock"), "sh", "-c", "echo held; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using System.Diagnostics.Process other = System.Diagnostics.Process.Start(start)!;
        Assert.Equal("held", await other.StandardOutput.ReadLineAsync());
        await Assert.ThrowsAsync<LogStoreException>(() => StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path));
        other.StandardInput.Close();
        await other.WaitForExitAsync();
        await (await StoreFixture.OpenAsync(new DurableFiles(), _clock, folder.Path)).DisposeAsync();
    }

    [Fact]
    public async Task The_folder_is_for_the_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, "data");
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(new DurableFiles(), _clock, data);
        await store.AddAsync("a");
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(owner, File.GetUnixFileMode(data));
        Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(data, "logs", "dns")));
        Assert.Equal(owner & ~UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(data, "logs", "dns", "00000001.seg")));
    }

    [Fact]
    public void Folders_that_are_made_are_durable_up_to_one_that_was_there()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        using var folder = new TemporaryFolder();
        var synced = new List<string>();
        var files = new DurableFiles { FolderSynced = synced.Add };
        files.CreateFolder(Path.Combine(folder.Path, "a", "b"));
        Assert.Equal([folder.Path, Path.Combine(folder.Path, "a")], synced);
        // One that somebody else has made as well.
        synced.Clear();
        Directory.CreateDirectory(Path.Combine(folder.Path, "c"));
        files.CreateFolder(Path.Combine(folder.Path, "c"));
        Assert.Equal([folder.Path], synced);
    }

    [Fact]
    public async Task Batches_that_wait_together_share_syncs()
    {
        var files = new ForgetfulFiles(1);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("first");
        using var entered = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        store.Appended += _ =>
        {
            entered.Release();
            go.Wait(TimeSpan.FromSeconds(30));
        };
        // The writing loop is held in the handler after its sync while the others line up behind it.
        Task<bool> held = store.AddAsync("held");
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(30)), "the wait was in vain");
        Task<bool>[] waiting = [.. Enumerable.Range(0, 100).Select(i => store.AddAsync($"{i}"))];
        int before = files.Syncs;
        go.Set();
        await held;
        await Task.WhenAll(waiting);
        Assert.Equal(1, files.Syncs - before);
        Assert.Equal(102, (await store.LinesAsync()).Count);
    }

    [Fact]
    public async Task A_new_segment_begins_at_the_size_limit_and_on_a_new_day()
    {
        var files = new ForgetfulFiles(1);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock, segmentBytes: 300);
        for (int i = 0; i < 8; i++)
        {
            await store.AddAsync(new string('x', 60));
        }
        Position bySize = await store.HeadAsync();
        Assert.True(bySize.Segment > 2);
        _clock.Advance(TimeSpan.FromDays(1));
        await store.AddAsync("y");
        Assert.Equal(new Position(bySize.Segment + 1, 0), await store.HeadAsync());
        Assert.Equal(9, (await store.LinesAsync()).Count);
    }

    [Fact]
    public async Task A_full_disk_says_so_and_keeps_what_was_acknowledged()
    {
        var files = new ForgetfulFiles(1);
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("a");
        files.Room = 20;
        LogStoreException e = await Assert.ThrowsAsync<LogStoreException>(() => store.AddAsync("b"));
        Assert.True(e.Full);
        files.Room = null;
        await store.AddAsync("c");
        Assert.Equal(["a", "c"], await store.LinesAsync());
        Assert.Equal(new Position(1, 1), await store.HeadAsync());
    }

    [Fact]
    public async Task A_file_that_cannot_be_cut_back_is_left_and_its_rest_never_read()
    {
        var files = new ForgetfulFiles(1);
        EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("a");
        files.Room = 20;
        files.FailingCuts = 1;
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddAsync("b"));
        files.Room = null;
        await store.AddAsync("c");
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
        Assert.Equal(["a", "c"], await again.LinesAsync());
        Assert.Equal(new Position(2, 0), await again.HeadAsync());
    }

    [Fact]
    public async Task A_batch_whose_sync_failed_never_comes_back_behind_what_followed()
    {
        var files = new ForgetfulFiles(1);
        EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("a");
        files.FailingSyncs = 1;
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddAsync("lost"));
        await store.AddAsync("c");
        await store.DisposeAsync();
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
        Assert.Equal(["a", "c"], await again.LinesAsync());
    }

    [Fact]
    public async Task A_damaged_frame_is_passed_over_and_counts_as_deleted()
    {
        var files = new ForgetfulFiles(1);
        EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("a");
        await store.AddAsync("b", "b");
        await store.AddAsync("c");
        await store.DisposeAsync();
        // The first start seals the segment; only then is damage told from a torn tail.
        await (await StoreFixture.OpenAsync(files, _clock)).DisposeAsync();
        files.Damage("00000001.seg", Segment.HeaderBytes + (Frame.HeaderBytes + 6 + 4 + 1) + Frame.HeaderBytes + 8);
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
        Assert.Equal(["a", "c"], await again.LinesAsync());
        Assert.Equal(new RangeCount(2, 2), await again.CountAsync());
        Assert.Null(await again.FindAsync(again.Dns().Id, new Position(1, 1), CancellationToken.None));
    }

    [Fact]
    public async Task A_damaged_header_loses_its_frame_alone_and_says_how_much()
    {
        var files = new ForgetfulFiles(1);
        EmbeddedLogStore store = await StoreFixture.OpenAsync(files, _clock);
        await store.AddAsync("a");
        await store.AddAsync("b", "b");
        await store.AddAsync("c");
        await store.DisposeAsync();
        await (await StoreFixture.OpenAsync(files, _clock)).DisposeAsync();
        files.Damage("00000001.seg", Segment.HeaderBytes + (Frame.HeaderBytes + 6 + 4 + 1) + 3);
        await using EmbeddedLogStore again = await StoreFixture.OpenAsync(files, _clock);
        await again.AddAsync("d");
        Assert.Equal(["a", "c", "d"], await again.LinesAsync());
        Assert.Equal(new RangeCount(3, 2), await again.CountAsync());
    }

    [Fact]
    public void A_full_device_is_told_from_other_errors()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        IOException e = Assert.Throws<IOException>(() => full.Write([1, 2, 3]));
        Assert.True(DiskFull.Is(e));
        Assert.False(DiskFull.Is(new IOException("Input/output error", 5)));
    }

    [Fact]
    public void The_checksum_is_the_published_one()
    {
        Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
    }
}
