using ThreatFeeds.Embedded;

namespace ThreatFeeds.Tests.Embedded;

/// <summary>What is open, and the bytes behind it.</summary>
internal sealed partial class ForgetfulFiles
{
    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public long? Pretended { get; set; }

        public (long From, long To) Broken { get; set; } = (long.MaxValue, long.MaxValue);

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
        public long Length => Alive(() => content.Pretended ?? content.Bytes.Length);

        public int Read(long offset, Span<byte> buffer)
        {
            byte[] bytes = Alive(() => content.Bytes);
            files.Reads++;
            if (offset < content.Broken.To && offset + buffer.Length > content.Broken.From)
            {
                throw new IOException("Input/output error", 5);
            }
            int length = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), length).CopyTo(buffer);
            return length;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            byte[] copy = bytes.ToArray();
            Alive(() =>
            {
                files.Step();
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
            files.Step();
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
            files.Step();
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
