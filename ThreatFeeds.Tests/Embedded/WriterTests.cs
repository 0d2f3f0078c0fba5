using ThreatFeeds.Embedded;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>Whatever a file does, the batch that met it fails and the writer goes on.</summary>
public sealed class WriterTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_batch_repeated_while_its_file_cannot_be_opened_is_refused_and_stored_once()
    {
        var files = new TroubledFiles(new DurableFiles());
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, TimeProvider.System, _folder.Path);
        Assert.True(await store.AddWithKeyAsync("k", "one"));
        files.OpenRead = new IOException("Too many open files", 24);
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddWithKeyAsync("k", "one").WaitAsync(Patience));
        Assert.False(await store.AddWithKeyAsync("k", "one").WaitAsync(Patience));
        Assert.Equal(["one"], await store.LinesAsync());
    }

    [Fact]
    public async Task A_note_of_what_was_acknowledged_that_cannot_be_written_does_not_end_the_writer()
    {
        var files = new TroubledFiles(new DurableFiles());
        await using EmbeddedLogStore store = await StoreFixture.OpenAsync(files, TimeProvider.System, _folder.Path);
        Assert.True(await store.AddAsync("one"));
        files.WriteNote = new UnauthorizedAccessException("Permission denied");
        await Assert.ThrowsAsync<LogStoreException>(() => store.AddAsync("two").WaitAsync(Patience));
        Assert.True(await store.AddAsync("three").WaitAsync(Patience));
        Assert.Equal("three", (await store.LinesAsync())[^1]);
    }

    /// <summary>Files of which a call fails once.</summary>
    private sealed class TroubledFiles(IDurableFiles inner) : IDurableFiles
    {
        private Exception? _openRead;
        private Exception? _writeNote;

        public Exception? OpenRead
        {
            set => _openRead = value;
        }

        public Exception? WriteNote
        {
            set => _writeNote = value;
        }

        public void CreateFolder(string path) => inner.CreateFolder(path);

        public IReadOnlyList<string> List(string folder) => inner.List(folder);

        public bool Exists(string path) => inner.Exists(path);

        public IDurableFile Create(string path) => Of(path, inner.Create(path));

        public IDurableFile OpenWrite(string path) => Of(path, inner.OpenWrite(path));

        IDurableFile IDurableFiles.OpenRead(string path)
        {
            Fail(ref _openRead);
            return inner.OpenRead(path);
        }

        public void Rename(string from, string to) => inner.Rename(from, to);

        public void Delete(string path) => inner.Delete(path);

        public void SyncFolder(string path) => inner.SyncFolder(path);

        public IDisposable? TryLock(string path) => inner.TryLock(path);

        private IDurableFile Of(string path, IDurableFile file) => Path.GetFileName(path) == "acknowledged" ? new Note(file, this) : file;

        private static void Fail(ref Exception? problem)
        {
            if (Interlocked.Exchange(ref problem, null) is { } once)
            {
                throw once;
            }
        }

        private sealed class Note(IDurableFile inner, TroubledFiles files) : IDurableFile
        {
            public long Length => inner.Length;

            public int Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

            public void Write(long offset, ReadOnlySpan<byte> bytes)
            {
                Fail(ref files._writeNote);
                inner.Write(offset, bytes);
            }

            public void SetLength(long length) => inner.SetLength(length);

            public void Sync() => inner.Sync();

            public void Dispose() => inner.Dispose();
        }
    }
}
