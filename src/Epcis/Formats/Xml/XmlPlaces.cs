using System.Globalization;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Places in an XML event: each field's, and of lists runs of equal steps. Documents are written by programs, one item a line
/// or all on one, so a list of a million identifiers is a few runs.
/// </summary>
internal sealed class XmlPlaces : EventPlaces
{
    // Of a list without any order in its layout, only the beginning is kept.
    private const int MaxRuns = 1000;
    private const int MaxFields = 100;

    private readonly (string Name, int Line, int Column)[] _fields;
    private readonly Run[] _runs;

    private XmlPlaces((string, int, int)[] fields, Run[] runs) => (_fields, _runs) = (fields, runs);

    public override Place? Find(string path)
    {
        for (var rest = path; rest.Length > 0;)
        {
            if (FieldOf(rest) is var field and >= 0)
            {
                return PlaceOf(field);
            }
            var slash = rest.LastIndexOf('/');
            if (slash < 0)
            {
                return null;
            }
            if (int.TryParse(rest.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var item) && FieldOf(rest[..slash]) is var list and >= 0)
            {
                return PlaceOf(list, item) ?? PlaceOf(list);
            }
            rest = rest[..slash];
        }
        return null;
    }

    private int FieldOf(string name) => Array.FindIndex(_fields, f => f.Name == name);

    private Place PlaceOf(int field) => new(_fields[field].Line, _fields[field].Column);

    private Place? PlaceOf(int field, int item)
    {
        foreach (var run in _runs)
        {
            if (run.Field == field && item >= run.First && item < run.First + run.Count)
            {
                var step = item - run.First;
                return new Place(run.Line + step * run.LineStep, run.Column + step * run.ColumnStep);
            }
        }
        return null;
    }

    /// <summary>Items of one list, each as far from the one before.</summary>
    private struct Run
    {
        public int Field, First, Count, Line, Column, LineStep, ColumnStep;
    }

    /// <summary>Notes the places while an event is read, and begins anew with the next.</summary>
    internal sealed class Recorder
    {
        private readonly List<(string Name, int Line, int Column)> _fields = [];
        private readonly List<Run> _runs = [];
        private int _field = -1;
        private int _items;
        private Place _last;
        private Run _run;

        /// <summary>A field begins; items belong to the field that began last.</summary>
        public void Field(string name, Place place)
        {
            Finish();
            _items = 0;
            _field = -1;
            if (name.Length > 0 && HasRoom)
            {
                _fields.Add((name, place.Line, place.Column));
                _field = _fields.Count - 1;
            }
        }

        /// <summary>Whether another field can be noted; who asks need not make a name in vain.</summary>
        public bool HasRoom => _fields.Count < MaxFields;

        /// <summary>A part of an item, such as <c>sensorElementList/0/sensorReport</c>; the list that the item is of goes on behind it.</summary>
        /// <param name="index">The part's place among those of its name.</param>
        public void Inner(string path, int index, Place place)
        {
            if (_fields.Count == 0 || _fields[^1].Name != path)
            {
                _fields.Add((path, place.Line, place.Column));
            }
            if (_runs.Count < MaxRuns)
            {
                _runs.Add(new Run { Field = _fields.Count - 1, First = index, Count = 1, Line = place.Line, Column = place.Column });
            }
        }

        /// <summary>A part of a structured field begins.</summary>
        public void Part(string field, string name, Place place)
        {
            // A part that repeats is a list of its own.
            var path = $"{field}/{name}";
            if (_fields.Count > 0 && _fields[^1].Name == path)
            {
                Item(place);
            }
            else
            {
                Field(path, place);
                Item(place);
            }
        }

        public void Item(Place place)
        {
            if (_field < 0)
            {
                return;
            }
            var (lines, columns) = (place.Line - _last.Line, place.Column - _last.Column);
            if (_run.Count == 1)
            {
                (_run.LineStep, _run.ColumnStep, _run.Count) = (lines, columns, 2);
            }
            else if (_run.Count > 1 && (lines, columns) == (_run.LineStep, _run.ColumnStep))
            {
                _run.Count++;
            }
            else
            {
                Finish();
                _run = new Run { Field = _field, First = _items, Count = 1, Line = place.Line, Column = place.Column };
            }
            _items++;
            _last = place;
        }

        public XmlPlaces Take()
        {
            Finish();
            var places = new XmlPlaces([.. _fields], [.. _runs]);
            _fields.Clear();
            _runs.Clear();
            _field = -1;
            return places;
        }

        private void Finish()
        {
            if (_run.Count > 0 && _runs.Count < MaxRuns)
            {
                _runs.Add(_run);
            }
            _run = default;
        }
    }
}
