using System.Globalization;

namespace Gateway.Host.Commands;

/// <summary>How far the check of one file is, for who watches: a line that appears after a second and vanishes at the end.</summary>
public sealed class CheckProgress : IDisposable
{
    private const int Width = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly TextWriter? _terminal;
    private readonly string _name;
    private readonly long? _length;
    private readonly TimeProvider _clock;
    private readonly long _began;
    private TimeSpan _next = Patience;
    private int _shown;

    /// <param name="terminal"><see langword="null"/> shows nothing.</param>
    /// <param name="length">In bytes; <see langword="null"/> when it is not known, and then only events are counted.</param>
    public CheckProgress(TextWriter? terminal, string name, long? length, TimeProvider clock)
    {
        (_terminal, _name, _length, _clock) = (terminal, name, length, clock);
        _began = clock.GetTimestamp();
    }

    /// <summary>On standard error when that is a terminal, so that the verdicts on standard output stay clean.</summary>
    public static CheckProgress OnTerminal(string name, long? length) =>
        new(Console.IsErrorRedirected ? null : Console.Error, name, length, TimeProvider.System);

    /// <summary>Call after each event.</summary>
    public void Show(long position, int events)
    {
        var elapsed = _clock.GetElapsedTime(_began);
        if (_terminal is null || elapsed < _next)
        {
            return;
        }
        _next = elapsed + Pause;
        var line = Line(position, events);
        _terminal.Write('\r' + line.PadRight(_shown));
        _shown = line.Length;
    }

    public void Dispose()
    {
        if (_shown > 0)
        {
            _terminal!.Write('\r' + new string(' ', _shown) + '\r');
        }
    }

    private string Line(long position, int events)
    {
        var count = string.Create(CultureInfo.InvariantCulture, $"{events} events");
        if (_length is not > 0)
        {
            return $"{_name}: {count}";
        }
        var part = Math.Min(1.0, (double)position / _length.Value);
        var done = (int)(part * Width);
        return string.Create(CultureInfo.InvariantCulture, $"{_name} [{new string('#', done)}{new string('.', Width - done)}] {(int)(part * 100)} %, {count}");
    }
}
