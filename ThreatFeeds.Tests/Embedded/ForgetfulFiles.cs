using System.Text;
using ThreatFeeds.Embedded;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>
/// Files that forget at a crash whatever was not synced: bytes without the file's sync, names without the folder's. As a real disk may, it keeps
/// a random part of the forgotten bytes. Writes, cuts and syncs can be made to fail.
/// </summary>
internal sealed class ForgetfulFiles : IDurableFiles
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private Dictionary<string, Content> _names = [];
    private Dictionary<string, Content> _durableNames = [];
    private int _life;
    private bool _locked;

    public ForgetfulFiles(int seed) => _random = new Random(seed);

    /// <summary>Bytes that can still be written before the disk is full; null for no limit.</summary>
    public long? Room { get; set; }

    public int FailingSyncs { get; set; }

    public int FailingCuts { get; set; }

    public int FailingDeletes { get; set; }

    /// <summary>How often a file was synced.</summary>
    public int Syncs { get; private set; }

    /// <summary>How often a file was read.</summary>
    public int Reads { get; set; }

    /// <summary>Everything open breaks; only what was durable is there afterwards.</summary>
    public void Crash()
    {
        lock (_gate)
        {
            _life++;
            _locked = false;
            Room = null;
            FailingSyncs = 0;
            FailingCuts = 0;
            foreach (Content content in _durableNames.Values.Concat(_names.Values).Distinct())
            {
                content.Forget(_random);
            }
            // An unsynced name may have reached the disk or not, each by itself.
            foreach ((string path, Content content) in _names)
            {
                if (!_durableNames.ContainsKey(path) && _random.Next(3) == 0)
                {
                    _durableNames[path] = content;
                }
            }
            _names = new Dictionary<string, Content>(_durableNames);
        }
    }

    /// <summary>Everything open breaks, but the system lives on and forgets nothing.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            _life++;
            _locked = false;
        }
    }

    public void Damage(string suffix, int offset) => Rewrite(suffix, bytes => bytes[offset] ^= 0x40);

    /// <summary>Changes bytes behind everybody's back.</summary>
    public void Rewrite(string suffix, Action<byte[]> change) => Set(suffix, bytes => { change(bytes); return bytes; });

    public void Replace(string suffix, Func<string, string> change) => Set(suffix, bytes => Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes))));

    /// <summary>Cuts the file to its first bytes, as a broken copy does.</summary>
    public void Cut(string suffix, Func<int, int> length) => Set(suffix, bytes => bytes[..length(bytes.Length)]);

    /// <summary>Takes the file away as somebody does who tidies up.</summary>
    public void Lose(string suffix)
    {
        lock (_gate)
        {
            foreach (string path in _names.Keys.Concat(_durableNames.Keys).Where(n => n.EndsWith(suffix, StringComparison.Ordinal)).ToList())
            {
                _names.Remove(path);
                _durableNames.Remove(path);
            }
        }
    }

    public void CreateFolder(string path) { }

    public IReadOnlyList<string> List(string folder)
    {
        lock (_gate)
        {
            return [.. _names.Keys.Where(p => Path.GetDirectoryName(p) == folder).Select(p => Path.GetFileName(p))];
        }
    }

    public bool Exists(string path)
    {
        lock (_gate)
        {
            return _names.ContainsKey(path);
        }
    }

    public IDurableFile Create(string path)
    {
        lock (_gate)
        {
            _names[path] = new Content();
            return new Handle(this, _names[path], _life);
        }
    }

    public IDurableFile OpenWrite(string path)
    {
        lock (_gate)
        {
            return new Handle(this, _names.TryGetValue(path, out Content? content) ? content : throw new FileNotFoundException(path), _life);
        }
    }

    public IDurableFile OpenRead(string path) => OpenWrite(path);

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            _names[to] = _names[from];
            _names.Remove(from);
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
        {
            if (FailingDeletes > 0)
            {
                FailingDeletes--;
                throw new IOException("Input/output error", 5);
            }
            _names.Remove(path);
        }
    }

    public void SyncFolder(string path)
    {
        lock (_gate)
        {
            foreach (string gone in _durableNames.Keys.Where(p => Path.GetDirectoryName(p) == path && !_names.ContainsKey(p)).ToList())
            {
                _durableNames.Remove(gone);
            }
            foreach ((string name, Content content) in _names.Where(n => Path.GetDirectoryName(n.Key) == path))
            {
                _durableNames[name] = content;
            }
        }
    }

    public IDisposable? TryLock(string path)
    {
        lock (_gate)
        {
            if (_locked)
            {
                return null;
            }
            _locked = true;
            return new Held(this, _life);
        }
    }

    private void Set(string suffix, Func<byte[], byte[]> change)
    {
        lock (_gate)
        {
            foreach ((_, Content content) in _names.Where(n => n.Key.EndsWith(suffix, StringComparison.Ordinal)))
            {
                content.Bytes = change([.. content.Bytes]);
                content.Durable = [.. content.Bytes];
            }
        }
    }

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public void Forget(Random random)
        {
            if (Bytes.Length == Durable.Length && random.Next(2) == 0)
            {
                // What was written over without a sync may have reached the disk by itself.
                Durable = [.. Bytes];
            }
            // Some prefix of what was written since may be there, its last bytes wrong.
            byte[] kept = [.. Durable];
            if (Bytes.Length > Durable.Length && random.Next(2) == 0)
            {
                int extra = random.Next(Bytes.Length - Durable.Length + 1);
                kept = [.. Durable, .. Bytes.AsSpan(Durable.Length, extra)];
                if (extra > 0 && random.Next(2) == 0)
                {
                    kept[^1] ^= 0xFF;
                }
            }
            Bytes = kept;
            Durable = [.. kept];
        }
    }

    private sealed class Held(ForgetfulFiles files, int life) : IDisposable
    {
        public void Dispose()
        {
            lock (files._gate)
            {
                files._locked &= files._life != life;
            }
        }
    }

    private sealed class Handle(ForgetfulFiles files, Content content, int life) : IDurableFile
    {
        public long Length => Alive(() => content.Bytes.Length);

        public int Read(long offset, Span<byte> buffer)
        {
            byte[] bytes = Alive(() => content.Bytes);
            files.Reads++;
            int length = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), length).CopyTo(buffer);
            return length;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            byte[] copy = bytes.ToArray();
            Alive(() =>
            {
                // What is written over needs no room.
                int grows = (int)Math.Clamp(offset + copy.Length - content.Bytes.Length, 0, copy.Length);
                int fits = copy.Length - (int)Math.Max(0, grows - (files.Room ?? grows));
                files.Room -= Math.Max(0, fits - (copy.Length - grows));
                byte[] next = new byte[Math.Max(content.Bytes.Length, offset + fits)];
                content.Bytes.CopyTo(next, 0);
                copy.AsSpan(0, fits).CopyTo(next.AsSpan((int)offset));
                content.Bytes = next;
                return fits == copy.Length ? 0 : throw new IOException("No space left on device", 28);
            });
        }

        public void SetLength(long length) => Alive(() =>
        {
            if (files.FailingCuts > 0)
            {
                files.FailingCuts--;
                throw new IOException("Input/output error", 5);
            }
            content.Bytes = content.Bytes[..(int)length];
            return 0;
        });

        public void Sync() => Alive(() =>
        {
            if (files.FailingSyncs > 0)
            {
                files.FailingSyncs--;
                throw new IOException("Input/output error", 5);
            }
            files.Syncs++;
            content.Durable = [.. content.Bytes];
            return 0;
        });

        public void Dispose() { }

        private T Alive<T>(Func<T> action)
        {
            lock (files._gate)
            {
                return files._life == life ? action() : throw new IOException("The machine has crashed");
            }
        }
    }
}
