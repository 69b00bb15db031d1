set -e
ln -s model starter
rs-extract -q docs --count counts.jsonl > records.jsonl
rs-embed -q --model model records.jsonl > embedded.jsonl
grep '^{"schema":"image/1"' embedded.jsonl > images.jsonl
grep '^{"schema":"sentence/1"' embedded.jsonl > sentences.jsonl
rs-kmeans -q -k 4 --iterations 5 --out centroids.npy sentences.jsonl > kmeans.jsonl
rs-retrieve -q --sentences sentences.jsonl --centroids centroids.npy --probe 4 images.jsonl > found.jsonl
rs-kmeans -q -k 3 --iterations 5 --out images.npy images.jsonl > kmeans.images.jsonl
rs-kmeans -q --assign images.npy found.jsonl > pairs.jsonl
