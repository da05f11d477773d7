"""Reading workbooks: XLSX by our own streaming reader, older and other formats by python-calamine."""
