using System.Text;
using ThreatFeeds.Embedded;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>
/// Files that forget at a crash whatever was not synced: bytes without the file's sync, names without the folder's. As a real disk may, it keeps
/// a random part of the forgotten bytes. Writes, cuts and syncs can be made to fail.
/// </summary>
internal sealed partial class ForgetfulFiles : IDurableFiles
{
    private readonly Lock _gate = new();
    private readonly Random _random;
    private Dictionary<string, Content> _names = [];
    private Dictionary<string, Content> _durableNames = [];
    private int _life;
    private bool _locked;
    private int? _stepsLeft;

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

    /// <summary>After so many changes the machine stands still: every one that follows fails, until <see cref="Crash"/>.</summary>
    public void StandStillAfter(int changes) => _stepsLeft = changes;

    /// <summary>Whether it came to that.</summary>
    public bool StandsStill => _stepsLeft < 0;

    /// <summary>Everything open breaks; only what was durable is there afterwards.</summary>
    public void Crash()
    {
        lock (_gate)
        {
            _life++;
            _stepsLeft = null;
            _locked = false;
            Room = null;
            FailingSyncs = 0;
            FailingCuts = 0;
            foreach (Content content in _durableNames.Values.Concat(_names.Values).Distinct())
            {
                content.Forget(_random);
            }
            // An unsynced name, a renaming or a deletion may have reached the disk or not, each by itself.
            foreach ((string path, Content content) in _names)
            {
                if (_durableNames.GetValueOrDefault(path) != content && _random.Next(3) == 0)
                {
                    _durableNames[path] = content;
                }
            }
            foreach (string gone in _durableNames.Keys.Where(p => !_names.ContainsKey(p)).ToList())
            {
                if (_random.Next(3) == 0)
                {
                    _durableNames.Remove(gone);
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

    /// <summary>What is in the files of this ending, all behind each other.</summary>
    public byte[] Bytes(string suffix)
    {
        lock (_gate)
        {
            return [.. _names.Where(n => n.Key.EndsWith(suffix, StringComparison.Ordinal)).OrderBy(n => n.Key, StringComparer.Ordinal).SelectMany(n => n.Value.Bytes)];
        }
    }

    /// <summary>The disk gives no page of the files of this ending that has bytes of this range; negative: it does not even open them.</summary>
    public void Break(string suffix, long from, long to)
    {
        lock (_gate)
        {
            foreach ((_, Content content) in _names.Where(n => n.Key.EndsWith(suffix, StringComparison.Ordinal)))
            {
                content.Broken = from is < 0 or long.MaxValue ? (from, to) : (from / 4096 * 4096, (to + 4095) / 4096 * 4096);
            }
        }
    }

    /// <summary>The disk gives everything again.</summary>
    public void Mend(string suffix) => Break(suffix, long.MaxValue, long.MaxValue);

    /// <summary>Lets a file seem as long as this, without having the bytes.</summary>
    public void Pretend(string suffix, long length)
    {
        lock (_gate)
        {
            foreach ((_, Content content) in _names.Where(n => n.Key.EndsWith(suffix, StringComparison.Ordinal)))
            {
                content.Pretended = length;
            }
        }
    }

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
            Step();
            _names[path] = new Content();
            return new Handle(this, _names[path], _life);
        }
    }

    public IDurableFile OpenWrite(string path)
    {
        lock (_gate)
        {
            Content content = _names.GetValueOrDefault(path) ?? throw new FileNotFoundException(path);
            return content.Broken.From >= 0 ? new Handle(this, content, _life) : throw new IOException("Input/output error", 5);
        }
    }

    public IDurableFile OpenRead(string path) => OpenWrite(path);

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            Step();
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
            Step();
            _names.Remove(path);
        }
    }

    public void SyncFolder(string path)
    {
        lock (_gate)
        {
            Step();
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

    private void Step()
    {
        if (_stepsLeft is { } left)
        {
            _stepsLeft = Math.Max(-1, left - 1);
            if (left <= 0)
            {
                throw new IOException("The machine stands still");
            }
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
}
